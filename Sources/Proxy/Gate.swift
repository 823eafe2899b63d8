internal import Configuration
internal import HTTP
internal import Sockets

/// Who may speak to us, as far as a request's own head can tell: a web page in the user's browser may not (spec/threats.md §4).
///
/// DNS rebinding shows in `Host`, a page's script in `Origin` and `Sec-Fetch-Site`. Checked before anything is looked up.
struct Gate: Sendable {
    private let hosts: [[UInt8]]
    private let origins: [[UInt8]]

    init(_ settings: GateSettings) {
        hosts = settings.hosts.map { Array($0.lowercased().utf8) }
        origins = settings.origins.map { Array($0.lowercased().utf8) }
    }

    /// Why the request is refused; nil when it may go on.
    func verdict(on head: borrowing RequestHead, _ bytes: RawSpan) -> Refusal? {
        switch head.method {
        case .connect, .trace: return Refusal(.methodRefused)
        default: break
        }
        guard isOurs(bytes, head.hostName) else { return Refusal(.wrongHost, naming: FieldText.string(bytes, head.host)) }
        var originAllowed = false
        if let origin = head.first(.origin) {
            originAllowed = origins.contains { FieldText.equals(bytes, origin.valueRange, $0) } && !head.containsTwice(.origin)
            guard originAllowed else { return Refusal(.originRefused, naming: FieldText.string(bytes, origin.valueRange)) }
        }
        if let site = head.first(.secFetchSite), !originAllowed, !isSameSite(bytes, site.valueRange) || head.containsTwice(.secFetchSite) {
            return Refusal(.crossSite)
        }
        return nil
    }

    /// A loopback name or address with any port (an `ssh -L` has another one), or a name the settings add.
    private func isOurs(_ bytes: RawSpan, _ name: Range<Int>) -> Bool {
        if FieldText.equals(bytes, name, Self.loopback4) || FieldText.equals(bytes, name, Self.localhost) { return true }
        if hosts.contains(where: { FieldText.equals(bytes, name, $0) }) { return true }
        guard let address = SocketAddress(literal: FieldText.string(bytes, name), port: 0) else { return false }
        return address.isLoopback
    }

    private func isSameSite(_ bytes: RawSpan, _ value: Range<Int>) -> Bool {
        FieldText.equals(bytes, value, Self.none) || FieldText.equals(bytes, value, Self.sameOrigin)
    }

    private static let loopback4 = Array("127.0.0.1".utf8)
    private static let localhost = Array("localhost".utf8)
    private static let none = Array("none".utf8)
    private static let sameOrigin = Array("same-origin".utf8)
}
