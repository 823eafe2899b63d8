internal import Configuration
internal import Credentials
internal import HTTP
internal import JSON
internal import Routing
internal import Sockets

/// What is asked of Keybearer itself: `/-/<path>?<query>`, percent-decoded.
struct OwnRequest {
    let isRead: Bool
    let path: [String]
    private let query: [String: String]

    /// Reads what follows `/-`; nil for a path or query that is no percent-encoded UTF-8.
    init?(_ target: String, isRead: Bool) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path: [String] = []
        for segment in parts[0].split(separator: "/") {
            guard let text = Self.decoded(segment) else { return nil }
            path.append(text)
        }
        var query: [String: String] = [:]
        for member in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = member.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(pair[0]), let value = Self.decoded(pair.count > 1 ? pair[1] : "") else { return nil }
            query[name] = value
        }
        self.isRead = isRead
        self.path = path
        self.query = query
    }

    /// The query's member of this name; of several the last.
    subscript(name: String) -> String? { query[name] }

    private static func decoded(_ text: Substring) -> String? { text.isEmpty ? "" : PercentText.decode(Array(text.utf8).span) }
}

/// What Keybearer says of itself.
enum OwnAnswer {
    case text(String)
    case json(Value)
    case refusal(Refusal)
}

/// Facts of this start, for those who ask a running server.
struct ServerFacts: Sendable {
    let process: Int32
    /// Milliseconds since 1970.
    let startedAt: Int64
    /// Where requests are served.
    let addresses: [String]
    /// The folder of the credentials.
    let sink: String
}

// MARK: - `/-/…`: for our own user, but for the sign of life

extension Worker {
    /// Answers what is asked of Keybearer itself. Rare and short: it may allocate, and blocks on nothing.
    mutating func serveOwn(_ id: Int32, path: String) {
        let method = exchanges[id].head.method
        guard let request = OwnRequest(path, isRead: method == .get || method == .head) else { return refuse(id, Refusal(.badTarget)) }
        switch ownAnswer(to: request, from: downstreams[exchanges[id].downstream].caller) {
        case .text(let text): answer(id, status: 200, fields: "Content-Type: text/plain\r\n", body: text)
        case .json(let value):
            answer(
                id, status: 200, fields: "Content-Type: application/json\r\nCache-Control: no-store\r\n",
                body: String(decoding: Writer.compact(value), as: UTF8.self))
        case .refusal(let refusal): refuse(id, refusal)
        }
    }

    private func ownAnswer(to request: OwnRequest, from caller: Caller) -> OwnAnswer {
        if request.path == ["healthz"], request.isRead { return .text("ok\n") }
        guard setup.callers.isOwn(caller) else { return .refusal(Refusal(.notOwnUser)) }
        return switch (request.isRead, request.path) {
        case (true, ["status"]): .json(status)
        case (true, ["explain"]): explain(request)
        case (true, ["quota"]): .json(QuotaAnswer.document(rosters.all, shared.standings, now: wall))
        case (true, ["sessions"]): .json(SessionBook(shared.affinities).list)
        case (false, ["sessions", "pin"]): pinSession(request)
        case (false, ["sessions", "unpin"]): unpinSession(request)
        default: .refusal(Refusal(.unknownPath))
        }
    }

    /// `/-/explain?provider=…&model=…&session=…&profile=…&agent=…`
    private func explain(_ request: OwnRequest) -> OwnAnswer {
        var question = ExplainQuestion()
        for member in ExplainQuestion.members { question[keyPath: member.path] = request[member.name] }
        let explainer = Explainer(
            settings: setup.settings, standings: shared.standings, affinities: shared.affinities, rosters: rosters.all,
            now: wall)
        do throws(ExplainFlaw) {
            return .json(try explainer.answer(question))
        } catch {
            return .refusal(Refusal(.badTarget, naming: error.description))
        }
    }

    /// `/-/status`
    private var status: Value {
        let facts = shared.facts
        return [
            "process": .integer(Int64(facts.process)), "startedAt": .integer(facts.startedAt),
            "addresses": .array(facts.addresses.map { .string($0) }), "sink": .string(facts.sink),
            "connections": .integer(Int64(shared.loads.total)), "settings": shared.reloads.document,
            "echoes": shared.echoes.document(shared.board.pools),
            "clients": [
                "digest": .string(shared.desk.clients.digest), "keys": .integer(Int64(setup.keys.count)),
                "origins": .integer(Int64(setup.book.origins.count)), "problem": shared.desk.clients.problem.map { .string($0) } ?? .null,
            ],
        ]
    }
}
