internal import CLinux
internal import Glibc

/// Keeps signals from ending the process while a refresh token is being spent, or while a lock is held that nobody would give back. In
/// the server no signal reaches such a thread anyway; in a command it is the only thread, and Ctrl-C waits until the work is done.
public struct SignalShield {
    private let before: sigset_t

    /// Whether a signal waits that would have ended the process by now, had it not been held back: a reason not to wait any longer.
    public var isInterrupted: Bool {
        var pending = sigset_t()
        unsafe sigpending(&pending)
        return [SIGINT, SIGTERM, SIGHUP].contains { signal in
            var before = before
            return unsafe sigismember(&pending, signal) == 1 && sigismember(&before, signal) == 0
        }
    }

    /// Runs `body` with every signal held back from this thread that can be; what arrives meanwhile is delivered afterwards, but for a
    /// SIGPIPE of our own: OpenSSL writes to a closed socket without MSG_NOSIGNAL, and libcurl (CURLOPT_NOSIGNAL) leaves that to us.
    public static func during<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try watching { _ throws(Failure) in try body() }
    }

    /// The same for a `body` that asks ``isInterrupted`` before it waits for something.
    public static func watching<Result, Failure: Error>(_ body: (SignalShield) throws(Failure) -> Result) throws(Failure) -> Result {
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        // Faults of our own are not held back: the kernel would end the process on the spot, without a trace.
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { unsafe sigdelset(&all, fault) }
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        let hadPipe = isPipePending
        defer {
            if !hadPipe && isPipePending { dropPipe() }
            unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return try body(SignalShield(before: before))
    }

    private static var isPipePending: Bool {
        var pending = sigset_t()
        unsafe sigpending(&pending)
        return unsafe sigismember(&pending, SIGPIPE) == 1
    }

    private static func dropPipe() {
        var pipe = sigset_t()
        var now = timespec()
        unsafe sigemptyset(&pipe)
        unsafe sigaddset(&pipe, SIGPIPE)
        unsafe sigtimedwait(&pipe, nil, &now)
    }
}
