/// A proxy to be measured.
struct Peer: Sendable {
    /// How it is started.
    enum Kind: Sendable, Equatable {
        /// An executable of Keybearer, with a state of its own.
        case keybearer(String)
        /// A command line for the shell, which finds what it needs in its environment (`PeerProcess.environment`).
        case command(String)
        /// None: the load goes to the stub itself.
        case direct
    }

    let name: String
    let kind: Kind
    var pairings: [Pairing]

    /// Reads `NAME=COMMAND`.
    init?(command text: String, pairings: [Pairing] = Pairing.all) {
        guard let (name, command) = Self.cut(text), !command.isEmpty else { return nil }
        self.init(name: name, kind: .command(command), pairings: pairings)
    }

    init(name: String, kind: Kind, pairings: [Pairing] = Pairing.all) {
        self.name = name
        self.kind = kind
        self.pairings = pairings
    }

    /// The two sides of the first equals sign.
    static func cut(_ text: String) -> (name: String, value: String)? {
        guard let sign = text.firstIndex(of: "="), sign > text.startIndex else { return nil }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }

    /// The client's side of those of its pairings that speak `version` upstream.
    func clients(upstream version: Pairing.Version, among wanted: [Pairing]) -> [Pairing] {
        wanted.filter { $0.upstream == version && pairings.contains($0) }
    }
}
