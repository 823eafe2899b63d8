import Credentials
import Digest
import Files

extension Login {
    /// Begins a device login: asks the provider for a code that a person types on any device.
    public func startDevice() throws(LoginFailure) -> DeviceCode {
        guard let rules = client.login?.device else { throw LoginFailure(.settings, detail: "this provider has no device login") }
        var manners = DeviceManners()
        if case .standard(_, let given) = rules { manners = given }
        let pkce = manners.usesPKCE ? PKCE() : nil
        let state = manners.sendsState ? Hexadecimal.encode(Random.bytes(16)) : nil
        let request = TokenRequest.deviceStart(rules, client: client, challenge: pkce?.challenge, state: state).through(proxy)
        let answer: TokenAnswer
        do throws(TransportFailure) {
            answer = try transport.post(request)
        } catch {
            throw LoginFailure(error)
        }
        var code = try DeviceCode(answer, rules: rules, state: state, now: clock.now())
        code.verifier = pkce?.verifier
        return code
    }

    /// Polls until the person has decided, and stores the login. Nil when `waiting` (asked at least ten times a second) said no
    /// between two polls; a poll under way, which may bring the tokens, is always waited for and its login kept.
    public func finishDevice(_ code: DeviceCode, while waiting: () -> Bool) throws(LoginFailure) -> LoginResult? {
        guard let rules = client.login?.device else { throw LoginFailure(.settings, detail: "this provider has no device login") }
        let request = try pollRequest(code, rules).through(proxy)
        var polling = DevicePolling(code)
        while pause(polling.interval, while: waiting) {
            let (answer, reply) = try ask(request, rules)
            switch polling.take(reply, now: clock.now()) {
            case .wait: continue
            case .fail(let failure): throw failure
            case .take:
                guard let answer else { throw LoginFailure(.invalidAnswer) }
                return try take(answer, code, rules)
            }
        }
        return nil
    }

    private func pollRequest(_ code: DeviceCode, _ rules: DeviceRules) throws(LoginFailure) -> TokenRequest {
        switch rules {
        case .standard(_, let manners): .device(code, manners, client: client, clientSecret: try clientSecret())
        case .openai(_, let url, _, _): .openaiDevicePoll(url, deviceID: code.deviceCode, userCode: code.userCode, client: client)
        }
    }

    /// One poll. It may be the one that is answered with the tokens, so that it is shielded like an exchange.
    private func ask(_ request: TokenRequest, _ rules: DeviceRules) throws(LoginFailure) -> (TokenAnswer?, DeviceReply) {
        do throws(TransportFailure) {
            let answer = try SignalShield.during { () throws(TransportFailure) in try transport.post(request) }
            return (answer, DeviceReply(answer, rules: rules, answerRules: client.answer))
        } catch {
            if case .tooLarge = error { throw LoginFailure(error) }
            return (nil, .unclear)
        }
    }

    /// RFC 8628 answers with the tokens; OpenAI with a code and the verifier to it.
    private func take(_ answer: TokenAnswer, _ code: DeviceCode, _ rules: DeviceRules) throws(LoginFailure) -> LoginResult {
        guard case .openai(_, _, _, let redirectURI) = rules else { return try keep(answer, spending: code.deviceCode) }
        guard let granted = AuthorizationCode(openaiDevice: answer, redirectURI: redirectURI) else {
            throw LoginFailure(.invalidAnswer, status: answer.status, detail: "no authorization_code with its verifier")
        }
        return try exchange(granted)
    }

    /// Waits in short steps; false when it is to end.
    private func pause(_ time: Duration, while waiting: () -> Bool) -> Bool {
        var left = time
        while left > .zero {
            guard waiting() else { return false }
            clock.sleep(min(left, .milliseconds(100)))
            left -= .milliseconds(100)
        }
        return waiting()
    }
}
