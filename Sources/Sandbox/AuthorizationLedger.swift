internal import Digest

/// Authorization codes and device authorizations on their way to becoming logins. Pure: the time is an argument, in milliseconds.
///
///     code:    granted ──exchange with the right verifier──▶ used   (a second exchange, or 10 minutes: refused)
///     device:  pending ──approve──▶ approved ──poll──▶ taken        (deny: denied; 15 minutes: expired)
struct AuthorizationLedger: Sendable {
    /// What a client asks for when it sends a browser to the authorization endpoint.
    struct CodeRequest: Sendable, Equatable {
        let account: Account
        let clientID: String
        let redirectURI: String
        /// base64url(SHA-256(verifier)), RFC 7636 §4.2; the plain method is not offered.
        let challenge: String
        /// Anthropic wants the state again at the exchange.
        let state: String?
    }

    /// Why a code is not exchanged.
    enum CodeRefusal: Error, Sendable, Equatable {
        case unknown, used, expired, otherClient, otherRedirect, wrongVerifier, wrongState
    }

    /// What a device is told at the start.
    struct DeviceStart: Sendable, Equatable {
        let deviceCode: String
        let userCode: String
        /// Seconds between polls.
        let interval: Int
        /// Seconds until both codes end.
        let expiresIn: Int
    }

    /// What a device's poll is told (names of RFC 8628 §3.5).
    enum DeviceAnswer: Sendable, Equatable {
        case approved(Account)
        case pending, slowDown, denied, expired, unknown
    }

    private struct Code: Sendable {
        let request: CodeRequest
        let expires: Int64
        var used = false
    }

    private enum DeviceState: Sendable, Equatable {
        case pending, denied, taken
        case approved(Account)
    }

    private struct Device: Sendable {
        let userCode: String
        let clientID: String
        let provider: SandboxProvider
        let expires: Int64
        var lastPoll: Int64?
        var state = DeviceState.pending
    }

    static let codeLifetime: Int64 = 600_000
    static let deviceLifetime: Int64 = 900_000

    private var codes: [String: Code] = [:]
    private var devices: [String: Device] = [:]
    /// Seconds between a device's polls; 0 lets tests poll as fast as they like.
    private let interval: Int

    init(pollInterval: Int = 0) { interval = pollInterval }

    /// The code that the redirect carries.
    mutating func grant(_ request: CodeRequest, now: Int64) -> String {
        let code = "ac_" + Base64URL.encode(Random.bytes(24))
        codes[code] = Code(request: request, expires: now + Self.codeLifetime)
        return code
    }

    /// Checks one exchange of a code; the account that may now log in.
    mutating func exchange(
        code: String, clientID: String, redirectURI: String?, verifier: String, state: String?, now: Int64
    ) throws(CodeRefusal) -> Account {
        guard let found = codes[code] else { throw .unknown }
        guard !found.used else { throw .used }
        guard found.expires > now else { throw .expired }
        guard found.request.clientID == clientID else { throw .otherClient }
        guard found.request.redirectURI == redirectURI else { throw .otherRedirect }
        guard found.request.state == nil || found.request.state == state else { throw .wrongState }
        guard Self.challenge(of: verifier) == found.request.challenge else { throw .wrongVerifier }
        codes[code]?.used = true
        return found.request.account
    }

    /// S256 of RFC 7636 §4.2.
    static func challenge(of verifier: String) -> String { Base64URL.encode(SHA256.hash(Array(verifier.utf8))) }

    mutating func startDevice(_ provider: SandboxProvider, clientID: String, now: Int64) -> DeviceStart {
        let deviceCode = "dev_" + Base64URL.encode(Random.bytes(24))
        let userCode = Self.userCode()
        devices[deviceCode] = Device(userCode: userCode, clientID: clientID, provider: provider, expires: now + Self.deviceLifetime)
        return DeviceStart(deviceCode: deviceCode, userCode: userCode, interval: interval, expiresIn: Int(Self.deviceLifetime / 1000))
    }

    /// Whose device waits under this code.
    func provider(waitingFor userCode: String) -> SandboxProvider? {
        devices.values.first { $0.userCode == userCode && $0.state == .pending }?.provider
    }

    /// What the person with the browser decides; nil denies.
    mutating func decide(userCode: String, account: Account?) {
        guard let code = devices.first(where: { $0.value.userCode == userCode && $0.value.state == .pending })?.key else { return }
        devices[code]?.state = account.map(DeviceState.approved) ?? .denied
    }

    /// One poll. An approval is handed out once.
    mutating func poll(deviceCode: String, userCode: String? = nil, clientID: String? = nil, now: Int64) -> DeviceAnswer {
        guard let device = devices[deviceCode], userCode == nil || userCode == device.userCode,
            clientID == nil || clientID == device.clientID
        else { return .unknown }
        guard device.expires > now else { return .expired }
        if let last = device.lastPoll, now - last < Int64(interval) * 1000 { return .slowDown }
        devices[deviceCode]?.lastPoll = now
        switch device.state {
        case .pending: return .pending
        case .denied: return .denied
        case .taken: return .unknown
        case .approved(let account):
            devices[deviceCode]?.state = .taken
            return .approved(account)
        }
    }

    /// Eight letters a person can type, as RFC 8628 §6.1 advises: no vowels, nothing that looks alike.
    private static func userCode() -> String {
        let letters = Array("BCDFGHJKLMNPQRSTVWXZ")
        let picked = Random.bytes(8).map { letters[Int($0) % letters.count] }
        return String(picked[..<4]) + "-" + String(picked[4...])
    }
}
