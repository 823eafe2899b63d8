internal import ArgumentParser
internal import OAuth
internal import Sockets

/// From the end of the wait to the stored login. What may have spent a code is waited for, whatever else happens.
struct LoginEnding {
    let provider: String
    let login: Login
    let inbox: LoginInbox
    let signals: StopSignals

    /// - Throws: `Failure` or an exit code when there is no login.
    func finish(_ end: LoginWait.End, after timeout: Duration) throws -> LoginResult {
        // A poll of a device login may be under way, and bring the tokens.
        settle("Waiting for a question to \(provider) that is under way") { inbox.isIdle }
        // A login that is there goes before a code that is not exchanged.
        if case .success(let stored) = inbox.device {
            inbox.arrival?.tab.show(.worked)
            return stored
        }
        let tab = inbox.arrival?.tab
        switch end {
        case .code(let code, _): return try exchange(code, tab)
        case .stored(let result): return result
        case .failed(let failure, _):
            tab?.show(.failed)
            throw Failure.failed(Self.advice(failure))
        case .signal(let number):
            tab?.show(.failed)
            Output.error("keybearer: stopped by \(StopSignals.name(number)); nothing was stored")
            throw ExitCode(128 + number)
        case .timedOut:
            let minutes = ExpiryText.span(timeout.components.seconds * 1000)
            throw Failure.failed(
                "nobody logged in within \(minutes), so that nothing was stored; start again, or wait longer with --timeout")
        case .inputEnded:
            throw Failure.failed("standard input ended without the address of the browser's last page; nothing was stored")
        }
    }

    private func exchange(_ code: AuthorizationCode, _ tab: BrowserTab?) throws -> LoginResult {
        let (login, inbox) = (login, inbox)
        inbox.run("kb-exchange") {
            inbox.put(exchange: Result { () throws(LoginFailure) in try login.exchange(code) })
        }
        settle("Exchanging the code for a login") { inbox.exchange != nil }
        switch inbox.exchange {
        case .success(let result):
            tab?.show(.worked)
            return result
        case .failure(let failure):
            tab?.show(.failed)
            throw Failure.failed(Self.advice(failure))
        case nil:
            throw Failure.failed("the exchange ended without a result")
        }
    }

    /// Waits until `isDone`, at most for as long as a token request takes, and shows that. Signals are noted, and change nothing.
    private func settle(_ what: String, _ isDone: () -> Bool) {
        var progress = LoginProgress()
        defer { progress.clear() }
        let start = ContinuousClock.now
        var isTold = false
        while !isDone() {
            let passed = ContinuousClock.now - start
            // What takes no time to speak of is not announced.
            if passed > .milliseconds(300) { progress.show(what, seconds: Int(passed.components.seconds)) }
            guard signals.next(within: 20) != nil, !isTold else { continue }
            isTold = true
            progress.clear()
            Output.error(
                "A code may be spent already, so that its answer is waited for, at most \(ExpiryText.span(30_000)); then this ends.")
        }
    }

    /// What went wrong, and what to do.
    private static func advice(_ failure: LoginFailure) -> String {
        switch failure.reason {
        case .denied, .expired, .refused, .inDoubt, .wrongIssuer: "\(failure); nothing was stored; start the login again"
        case .unreachable: "\(failure); look after the network, or HTTPS_PROXY, and start the login again"
        case .notDurable: "\(failure). A login that the provider has given is finished by the next `keybearer login`, once this is mended"
        default: "\(failure); nothing was stored"
        }
    }
}
