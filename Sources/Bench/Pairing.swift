/// Which HTTP a proxy is spoken to in, and which it speaks upstream: `h2/h1`.
struct Pairing: Hashable, Sendable, CustomStringConvertible {
    enum Version: String, Sendable { case h1, h2 }

    let client, upstream: Version

    init(_ client: Version, _ upstream: Version) {
        self.client = client
        self.upstream = upstream
    }

    /// Reads `h2/h1`.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let client = Version(rawValue: String(parts[0])), let upstream = Version(rawValue: String(parts[1])) else {
            return nil
        }
        self.init(client, upstream)
    }

    /// All four, in the order of tables.
    static let all = [Pairing(.h1, .h1), Pairing(.h2, .h1), Pairing(.h1, .h2), Pairing(.h2, .h2)]

    /// Reads a list with commas, into the order of tables; nil when a member is none.
    static func list(_ text: some StringProtocol) -> [Pairing]? {
        var named: Set<Pairing> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let pairing = Pairing(part) else { return nil }
            named.insert(pairing)
        }
        return all.filter(named.contains)
    }

    var description: String { "\(client.rawValue)/\(upstream.rawValue)" }
}
