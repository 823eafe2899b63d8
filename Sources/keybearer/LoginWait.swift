internal import OAuth
internal import Sockets

/// The wait for whatever comes first: the browser, a paste, the device login, a signal, the end of the time.
struct LoginWait {
    /// What it was.
    enum End {
        case code(AuthorizationCode, BrowserTab?)
        case stored(LoginResult)
        case failed(LoginFailure, BrowserTab?)
        case signal(Int32)
        case timedOut
        case inputEnded
    }

    private var ways: LoginWays
    private let request: AuthorizationRequest?
    private let browser: LoginBrowser?
    private let timeout: Duration
    private let inbox: LoginInbox
    private let signals: StopSignals
    private var progress = LoginProgress()
    private var hasBrowser: Bool

    init(
        ways: LoginWays, request: AuthorizationRequest?, browser: LoginBrowser?, timeout: Duration, inbox: LoginInbox, signals: StopSignals
    ) {
        self.ways = ways
        self.request = request
        self.browser = browser
        self.timeout = timeout
        self.inbox = inbox
        self.signals = signals
        hasBrowser = browser != nil
    }

    /// Waits. The terminal shows again what is typed when this returns.
    mutating func run() -> End {
        var terminal = ways.paste ? LoginTerminal() : nil
        let start = ContinuousClock.now
        defer { progress.clear() }
        while true {
            if let number = signals.next(within: 0) { return .signal(number) }
            if let end = news() { return end }
            let line: String?
            if terminal != nil {
                line = terminal?.line(within: 100)
            } else {
                line = nil
                Pause.milliseconds(100)
            }
            if let line, let end = read(line) { return end }
            if terminal?.hasEnded == true, !ways.callback, !ways.device { return .inputEnded }
            let passed = ContinuousClock.now - start
            guard passed < timeout else { return .timedOut }
            progress.show(what, seconds: Int(passed.components.seconds))
        }
    }

    /// What the threads have brought.
    private mutating func news() -> End? {
        if let arrival = inbox.arrival {
            switch arrival.result {
            case .success(let code): return .code(code, arrival.tab)
            case .failure(let failure): return .failed(failure, arrival.tab)
            }
        }
        switch inbox.device {
        case .success(let result): return .stored(result)
        case .failure(let failure) where ways.device:
            ways = ways.withoutDevice
            guard ways.isOpen else { return .failed(failure, nil) }
            say("The device login has ended: \(failure). The other ways are still open.")
        case .failure, nil: break
        }
        if hasBrowser, browser?.hasFailed == true {
            hasBrowser = false
            say("The browser could not be opened; open the address above yourself.")
        }
        return nil
    }

    private mutating func read(_ line: String) -> End? {
        let reading = PasteParser.read(line)
        guard case .answer(let answer) = reading, let request else {
            if let advice = PasteAdvice.text(reading) { say(advice) }
            return nil
        }
        do throws(LoginFailure) {
            return .code(try request.accept(answer, from: .paste), nil)
        } catch {
            if error.reason == .denied { return .failed(error, nil) }
            // Answered already: the browser was faster, and its answer is in the inbox or on its way there.
            if error.reason != .answeredAlready { say(PasteAdvice.text(error)) }
            return nil
        }
    }

    private mutating func say(_ text: String) {
        progress.clear()
        Output.error(text)
    }

    private var what: String {
        switch (ways.device, ways.callback, ways.paste) {
        case (true, true, _), (true, false, true): "Waiting for the code to be confirmed, or for the browser"
        case (true, false, false): "Waiting for the code to be confirmed"
        case (false, true, true): "Waiting for the browser, or for a paste"
        case (false, true, false): "Waiting for the browser"
        case (false, false, _): "Waiting for a paste"
        }
    }
}
