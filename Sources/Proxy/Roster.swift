internal import Configuration
internal import Credentials
internal import Sockets

/// What one agent has for every provider: an immutable picture of the store, shared by the workers until the next one is made.
final class Roster: Sendable {
    let agentID: String
    /// By provider index, as the setup counts providers.
    let lineups: [Lineup]
    /// OpenAI's bare paths mean Codex when only that has profiles (DESIGN §5).
    let onlyCodexHasProfiles: Bool

    init(agentID: String, lineups: [Lineup], onlyCodexHasProfiles: Bool) {
        self.agentID = agentID
        self.lineups = lineups
        self.onlyCodexHasProfiles = onlyCodexHasProfiles
    }
}

/// A provider's profiles in the order they are tried, and the rest with the reason why they are not.
final class Lineup: Sendable {
    /// Whose they are.
    let agentID: String
    /// Usable ones, best first.
    let candidates: [Candidate]
    /// What a choice looks at of them, side by side.
    let entrants: [Entrant]
    /// Their slots alone, for a glance at all of them.
    let slots: [Int32]
    /// Some of them need leave to spend money.
    let hasPaid: Bool
    /// Everything else that a pin might name, or a person ask about.
    let others: [Candidate]
    /// Whose profiles these are: a pin `work` means `<this>:work`.
    let credentialProvider: String
    /// Why nothing can be chosen although the provider exists, if that is so.
    let storeProblem: String?

    init(agentID: String, candidates: [Candidate], others: [Candidate], credentialProvider: String, storeProblem: String?) {
        self.agentID = agentID
        self.candidates = candidates
        entrants = candidates.map {
            Entrant(slot: $0.slot, isMetered: $0.billing == .metered, followsSubscription: $0.followsSubscription)
        }
        slots = entrants.map(\.slot)
        hasPaid = entrants.contains(where: \.followsSubscription)
        self.others = others
        self.credentialProvider = credentialProvider
        self.storeProblem = storeProblem
    }

    /// With these profiles alone.
    func only(_ ids: [String]) -> Lineup {
        func isLeft(_ candidate: Candidate) -> Bool { ids.contains(candidate.key.profileID) }
        return Lineup(
            agentID: agentID, candidates: candidates.filter(isLeft), others: others.filter(isLeft), credentialProvider: credentialProvider,
            storeProblem: storeProblem)
    }

    /// The profile that a pin names: by its whole id, or by what follows the provider's name in it.
    func named(_ name: String) -> Candidate? {
        let all = candidates + others
        return all.first { $0.key.profileID == name } ?? all.first { $0.key.profileID == "\(credentialProvider):\(name)" }
    }

    /// The profile that has this pool number.
    func numbered(_ number: Int) -> Candidate? {
        if let position = position(of: number) { return candidates[position] }
        return others.first { $0.poolKey == number }
    }
    /// Its place among the usable ones.
    func position(of number: Int) -> Int? { candidates.firstIndex { $0.poolKey == number } }

    /// The others and what drops them: one that a pin could use is left out by the order.
    var dropped: [(profile: String, reason: String)] {
        others.map { ($0.key.profileID, ($0.eligibility == .ok ? .excludedByAuthOrder : $0.eligibility).rawValue) }
    }

    /// Every profile and whether it may be used: what an error tells.
    var explanation: [(profile: String, reason: String)] {
        candidates.map { ($0.key.profileID, $0.eligibility.rawValue) } + dropped
    }
}

/// What a choice looks at of a candidate.
struct Entrant {
    let slot: Int32
    let isMetered: Bool
    let followsSubscription: Bool
}

/// A worker's copy of the rosters: asks the board only when its generation has moved.
struct RosterCache {
    private let board: CredentialBoard
    private var generation: Int
    private var rosters: [Roster]
    /// The settings that the rosters are made for.
    private(set) var setup: Setup
    /// What client keys leave of line-ups, made when a key first asks.
    private var narrowed: [[(whole: Lineup, part: Lineup)]] = []

    init(_ board: CredentialBoard) {
        self.board = board
        (generation, setup, rosters) = board.current
    }

    /// Looks whether the store or the settings have changed; true when the settings have. One atomic load when neither has.
    @inline(__always)
    mutating func refresh() -> Bool {
        guard board.generation != generation else { return false }
        let before = setup
        (generation, setup, rosters) = board.current
        narrowed = []
        return setup !== before
    }
    /// What a key that names profiles leaves of a line-up; the same as long as this generation lasts.
    mutating func lineup(_ whole: Lineup, for key: KeyPolicy) -> Lineup {
        while narrowed.count <= key.index { narrowed.append([]) }
        for pair in narrowed[key.index] where pair.whole === whole { return pair.part }
        let part = whole.only(key.profiles)
        narrowed[key.index].append((whole, part))
        return part
    }

    /// The default agent's: the first.
    var main: Roster { @inline(__always) get { rosters[0] } }
    /// All of them, the default agent's first.
    var all: [Roster] { rosters }
    func roster(of agentID: String) -> Roster? { rosters.first { $0.agentID == agentID } }
}
