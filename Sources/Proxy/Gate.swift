internal import Configuration
internal import HTTP
internal import Sockets

/// Who may speak to us, as far as a request's own head can tell: a web page in the user's browser may not (spec/threats.md §4).
///
/// DNS rebinding shows in `Host`, a page's script in `Origin` and `Sec-Fetch-Site`. Checked before anything is looked up.
struct Gate: Sendable {
    private let hosts: [[UInt8]]
    private let origins: [[UInt8]]

    /// - Parameter origins: further ones that a command has admitted.
    init(_ settings: GateSettings, origins: [String] = []) {
        hosts = settings.hosts.map { Array($0.lowercased().utf8) }
        self.origins = (settings.origins + origins).map { Array($0.lowercased().utf8) }
    }

    /// Why the request is refused; nil when it may go on.
    ///
    /// - Parameter takesAddresses: any address may stand in `Host`: a listener beyond loopback has several. A name of somebody else's, which
    ///   is what rebinding needs, may not.
    func verdict(on head: borrowing RequestHead, _ bytes: RawSpan, takesAddresses: Bool = false) -> Refusal? {
        switch head.method {
        case .connect, .trace: return Refusal(.methodRefused)
        default: break
        }
        guard isOurs(bytes, head.hostName, takesAddresses) else { return Refusal(.wrongHost, naming: FieldText.string(bytes, head.host)) }
        var originAllowed = false
        if let origin = head.first(.origin) {
            originAllowed = origins.contains { FieldText.equals(bytes, origin.valueRange, $0) } && !head.containsTwice(.origin)
            guard originAllowed else { return refusal(ofOrigin: FieldText.string(bytes, origin.valueRange)) }
        }
        if let site = head.first(.secFetchSite), !originAllowed, !isSameSite(bytes, site.valueRange) || head.containsTwice(.secFetchSite) {
            return Refusal(.crossSite)
        }
        return nil
    }

    private func refusal(ofOrigin origin: String) -> Refusal {
        guard PageOrigin.isAdmissible(origin) else {
            // `null` is every sandboxed page and every file: nobody in particular.
            var refusal = Refusal(.originRefused)
            refusal.message = "Web pages may not use your credentials, and \(origin.prefix(80)) names none that could be admitted."
            return refusal
        }
        var refusal = Refusal(.originRefused)
        refusal.message = "Web pages may not use your credentials. If this one may: keybearer clients allow-origin \(origin)"
        return refusal
    }

    /// A loopback name or address with any port (an `ssh -L` has another one), or a name the settings add.
    private func isOurs(_ bytes: RawSpan, _ name: Range<Int>, _ takesAddresses: Bool) -> Bool {
        if FieldText.isExactly(bytes, name, "127.0.0.1") || FieldText.isExactly(bytes, name, "localhost") { return true }
        if FieldText.equals(bytes, name, Self.localhost) { return true }
        if hosts.contains(where: { FieldText.equals(bytes, name, $0) }) { return true }
        guard let address = SocketAddress(literal: FieldText.string(bytes, name), port: 0) else { return false }
        return address.isLoopback || takesAddresses
    }

    private func isSameSite(_ bytes: RawSpan, _ value: Range<Int>) -> Bool {
        FieldText.equals(bytes, value, Self.none) || FieldText.equals(bytes, value, Self.sameOrigin)
    }

    private static let localhost = Array("localhost".utf8)
    private static let none = Array("none".utf8)
    private static let sameOrigin = Array("same-origin".utf8)
}
