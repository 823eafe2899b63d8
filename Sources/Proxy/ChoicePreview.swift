public import Configuration
public import JSON
internal import Sockets
public import Logging

/// What a server would choose, asked while none runs: the same question to the same store, settings and sessions.
public struct ChoicePreview {
    private let explainer: Explainer

    /// Reads the credentials and how they have fared. Runs no program that a secret is asked of, and refreshes nothing.
    ///
    /// - Parameters:
    ///   - sink: the folder that holds `agents/`.
    ///   - sessions: the file of sessions.
    public init(settings: Settings, sink: String, sessions: String, environmentKeys: [EnvironmentKey], logger: Logger) {
        let board = CredentialBoard(setup: Setup(settings), sink: sink, environmentKeys: environmentKeys, log: EventLog(logger: logger))
        explainer = Explainer(
            settings: settings, standings: board.standings, affinities: Affinities(path: sessions, pools: board.pools),
            rosters: board.current.rosters, now: Clock.wall())
    }

    /// Who would serve, who would come next, and why everybody else would not (`/-/explain`).
    public func explain(_ question: ExplainQuestion) throws(ExplainFlaw) -> Value { try explainer.answer(question) }
}
