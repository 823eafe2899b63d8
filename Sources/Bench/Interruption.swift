internal import Glibc

/// Ctrl-C and SIGTERM, kept from ending the process before what it has started is ended.
struct Interruption {
    private let awaited: [Int32]

    /// Blocks them; before the first thread, which inherits that. One that is ignored, as nohup does with SIGHUP, stays so.
    init() {
        awaited = [SIGTERM, SIGINT, SIGHUP].filter { !Self.isIgnored($0) }
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in awaited { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Whether one has come, and waits to be obeyed.
    var isAsked: Bool {
        var pending = sigset_t()
        guard unsafe sigpending(&pending) == 0 else { return false }
        return awaited.contains { unsafe sigismember(&pending, $0) == 1 }
    }

    /// Sleeps, unless one comes.
    func sleep(_ seconds: Double) {
        let end = Monotonic.now + Int64(seconds * 1e9)
        while !isAsked, case let left = end - Monotonic.now, left > 0 { usleep(useconds_t(min(left / 1_000, 20_000))) }
    }

    /// Ends the run that was interrupted.
    func check() throws { if isAsked { throw BenchFailure.failed("interrupted; what was started has been ended") } }
}
