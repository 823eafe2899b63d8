import Glibc

/// Keeps signals from ending the process while a refresh token is being spent. In the server no signal reaches a refresh thread anyway;
/// in a command the refresh runs on the only thread, and Ctrl-C waits for the answer (at most the request's time-out).
enum SignalShield {
    /// Runs `body` with every signal held back from this thread that can be; what arrives meanwhile is delivered afterwards, but for a
    /// SIGPIPE of our own: OpenSSL writes to a closed socket without MSG_NOSIGNAL, and libcurl (CURLOPT_NOSIGNAL) leaves that to us.
    static func during<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
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
        return try body()
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
