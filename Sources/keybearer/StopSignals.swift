internal import Glibc

/// The signals that ask a server to end, or to read its settings again, taken one by one by the main thread; no other thread ever sees them.
struct StopSignals {
    private var awaited = sigset_t()

    /// Blocks them. Made before the first thread, which inherits the mask (DESIGN §4).
    ///
    /// One that is ignored stays so: nohup ignores SIGHUP, and a shell ignores SIGINT for its background jobs; yet a blocked signal would
    /// be delivered to sigtimedwait even then.
    init() {
        unsafe sigemptyset(&awaited)
        for number in [SIGTERM, SIGINT, SIGHUP] where !Self.isIgnored(number) { unsafe sigaddset(&awaited, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
        // A peer that has left is an answer of send(2), not a signal.
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// The next one; nil when none came within `milliseconds`.
    func next(within milliseconds: Int) -> Int32? {
        var limit = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var set = awaited
        let number = unsafe sigtimedwait(&set, nil, &limit)
        return number > 0 ? number : nil
    }

    /// The next one, however long it takes.
    func next() -> Int32 {
        while true {
            if let number = next(within: 60_000) { return number }
        }
    }

    /// Whether SIGHUP says that the terminal is gone, and not that there are new settings: a server in the foreground ends with its terminal.
    var hangupEnds: Bool { hasTerminal && isatty(STDERR_FILENO) == 0 }
    private let hasTerminal = isatty(STDERR_FILENO) == 1

    /// How people write it.
    static func name(_ number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGHUP: "SIGHUP"
        default: "signal \(number)"
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
