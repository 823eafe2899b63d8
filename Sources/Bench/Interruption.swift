internal import Glibc

/// Ctrl-C and SIGTERM, kept from ending the process before what it has started is ended.
struct Interruption {
    private var awaited = sigset_t()

    /// Blocks them; before the first thread, which inherits that.
    init() {
        unsafe sigemptyset(&awaited)
        for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&awaited, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
    }

    /// Whether one has come, and waits to be obeyed.
    var isAsked: Bool {
        var pending = sigset_t()
        guard unsafe sigpending(&pending) == 0 else { return false }
        return [SIGTERM, SIGINT, SIGHUP].contains { unsafe sigismember(&pending, $0) == 1 }
    }

    /// Sleeps, unless one comes.
    func sleep(_ seconds: Double) {
        let end = Monotonic.now + Int64(seconds * 1e9)
        while !isAsked, case let left = end - Monotonic.now, left > 0 { usleep(useconds_t(min(left / 1_000, 20_000))) }
    }

    /// Ends the run that was interrupted.
    func check() throws { if isAsked { throw BenchFailure.failed("interrupted; what was started has been ended") } }
}
