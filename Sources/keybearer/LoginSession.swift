internal import ArgumentParser
internal import Credentials
internal import OAuth
internal import Sockets
internal import Synchronization

/// One login from the first question to the stored profile: all ways at once, and the first one wins.
///
///     device thread    polls, and stores the login itself   ┐
///     callback thread  waits for the browser                ├─▶ inbox ─▶ main thread: end of the wait,
///     main thread      reads what is pasted                 ┘            exchange of the code, stored login
struct LoginSession {
    let provider: String
    let login: Login
    let client: OAuthClient
    let rules: LoginRules
    let ways: LoginWays
    let timeout: Duration
    /// Variables that a browser is not given.
    let secretVariables: Set<String>

    /// Runs it. Ctrl-C ends it at once, except that a code or a poll that is under way is waited for: it may be spent already.
    func run() throws -> LoginResult {
        var ways = ways
        // Before signals are held back: nothing is at stake yet.
        let device = try startDevice(&ways)
        let request = ways.callback || ways.paste ? AuthorizationRequest(client) : nil
        let signals = StopSignals()
        let listener = try openListener(&ways)
        // Before the first thread, as every child is.
        let browser = ways.browser ? request.flatMap { LoginBrowser($0.url, hiding: secretVariables) } : nil
        let instructions = LoginInstructions(
            provider: provider, ways: ways, address: request?.url, redirect: rules.redirect, device: device,
            portIsTaken: self.ways.callback && !ways.callback, browserWasOpened: browser != nil)
        for line in instructions.lines { Output.error(line) }

        let inbox = LoginInbox()
        start(listener, request, device, inbox)
        var wait = LoginWait(ways: ways, request: request, browser: browser, timeout: timeout, inbox: inbox, signals: signals)
        let end = wait.run()
        inbox.close()
        return try LoginEnding(provider: provider, login: login, inbox: inbox, signals: signals).finish(end, after: timeout)
    }

    private func startDevice(_ ways: inout LoginWays) throws -> DeviceCode? {
        guard ways.device else { return nil }
        var progress = LoginProgress()
        progress.show("Asking \(provider) for a code", seconds: 0)
        defer { progress.clear() }
        do throws(LoginFailure) {
            return try login.startDevice()
        } catch {
            ways = ways.withoutDevice
            guard ways.isOpen else { throw Failure.failed("the device login could not be started: \(error)") }
            progress.clear()
            Output.error("The device login could not be started: \(error).")
            return nil
        }
    }

    private func openListener(_ ways: inout LoginWays) throws -> CallbackListener? {
        guard ways.callback, let redirect = rules.redirect else { return nil }
        do throws(CallbackListener.Failure) {
            return try CallbackListener(redirect)
        } catch {
            ways = ways.withoutCallback
            guard ways.isOpen else {
                throw Failure.failed(
                    "port \(redirect.port), where the browser would come back, is taken by another program, and there is no terminal to "
                        + "paste at; end that program, or log in with --device-code or --paste")
            }
            return nil
        }
    }

    private func start(
        _ listener: consuming CallbackListener?, _ request: AuthorizationRequest?, _ device: DeviceCode?, _ inbox: LoginInbox
    ) {
        let box = Mutex(listener)
        if let request {
            inbox.run("kb-callback") {
                guard let listener = box.withLock({ $0.take() }) else { return }
                if let arrival = listener.wait(for: request, while: { inbox.isWanted }) { inbox.put(arrival: arrival) }
            }
        }
        guard let device else { return }
        let login = login
        inbox.run("kb-device") {
            switch Result(catching: { () throws(LoginFailure) in try login.finishDevice(device) { inbox.isWanted } }) {
            case .success(let stored?): inbox.put(device: .success(stored))
            case .success(nil): break
            case .failure(let failure): inbox.put(device: .failure(failure))
            }
        }
    }
}
