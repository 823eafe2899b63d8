internal import Configuration
internal import Credentials
internal import HTTP
internal import Routing
internal import Sockets
internal import TLS

/// One generation of the settings, made ready for requests: immutable, shared by the workers until the next one is made.
///
/// Rosters are made for a setup and name it, so that what is decided for one request is all of one generation: its provider's number means
/// that provider's place, its candidates' header lines are for that provider's host (`Worker.adoptSetup`).
final class Setup: Sendable {
    let settings: Settings
    /// Whom connections to providers trust; nil where none are made.
    let anchors: TrustAnchors?
    /// What the environment says of outbound proxies.
    let proxies: ProxyEnvironment
    let routes: RouteTable
    let gate: Gate
    let callers: CallerRule
    let headLimits: HeadLimits
    /// Each worker's part of what all replay copies may hold.
    let replayShare: Int
    let aliases: ModelAliases
    /// Fields that name a session, in lower case.
    let sessionFields: [[UInt8]]
    /// The client keys and admitted pages, and the keys ready to be looked up.
    let book: ClientBook
    let keys: ClientKeys
    private let workers: Int
    private let ledger: ClientLedger

    init(
        _ settings: Settings, anchors: TrustAnchors? = nil, proxies: ProxyEnvironment = .empty, workers: Int = 1,
        book: ClientBook = ClientBook(), ledger: ClientLedger = ClientLedger()
    ) {
        self.settings = settings
        self.anchors = anchors
        self.proxies = proxies
        self.workers = workers
        self.book = book
        self.ledger = ledger
        keys = ClientKeys(book, settings, ledger)
        routes = RouteTable(settings: settings)
        gate = Gate(settings.gate, origins: book.origins)
        callers = CallerRule(settings.clients)
        headLimits = HeadLimits(byteCount: settings.limits.headBytes, fieldCount: settings.limits.headFields)
        replayShare = settings.replay.totalBytes / workers
        aliases = ModelAliases(settings.models.aliases)
        sessionFields = settings.sessions.headers.map { Array($0.lowercased().utf8) }
    }

    /// The same with other settings, or with other keys.
    func with(_ settings: Settings, _ anchors: TrustAnchors) -> Setup {
        Setup(settings, anchors: anchors, proxies: proxies, workers: workers, book: book, ledger: ledger)
    }
    func with(_ book: ClientBook) -> Setup {
        Setup(settings, anchors: anchors, proxies: proxies, workers: workers, book: book, ledger: ledger)
    }

    /// The provider's place in this generation.
    func index(of provider: String) -> Int? { settings.providers.firstIndex { $0.id == provider } }
}

// MARK: - A worker's part in a change of the settings

extension Worker {
    /// The newest generation that this worker knows.
    var setup: Setup { @inline(__always) get { rosters.setup } }

    /// Takes what other threads have published: rosters, and settings with them. One atomic load when there is nothing new.
    @inline(__always)
    mutating func takeNews() {
        if rosters.refresh() { adoptSetup() }
    }

    /// Other settings are in force. Connections and exchanges of the last ones go on by numbers that keep their meaning: an origin's place
    /// is never given to another host.
    private mutating func adoptSetup() {
        timeouts = Timeouts(setup.settings.timeouts)
        if setup.settings.upstream.caFile != caFile, let anchors = setup.anchors, let context = try? ClientContext(anchors) {
            tls = context
            caFile = setup.settings.upstream.caFile
        }
        places = setup.settings.providers.map { place(of: Origin($0, caFile: caFile)) }
        for id in 0..<exchanges.ceiling where exchanges.holds(id) {
            guard let key = exchanges[id].key, exchanges[id].stage > .closed, setup.keys.renewed(key) == nil else { continue }
            // Revoked: what it has under way ends as well.
            abandon(exchanges[id].downstream)
        }
    }

    /// Where the origin is kept: where an equal one is, else behind the last.
    mutating func place(of origin: Origin) -> Int {
        if let place = origins.firstIndex(where: { $0.isSamePlace(as: origin) }) { return place }
        origins.append(origin)
        return origins.count - 1
    }

    /// The same of a provider where a login says that it is. Nothing is made where the place is known.
    mutating func place(of provider: Provider) -> Int {
        origins.firstIndex { $0.isPlace(of: provider, caFile: caFile) } ?? place(of: Origin(provider, caFile: caFile))
    }

    /// Moves an exchange that has waited to the newest generation, all of it or nothing: a candidate's header lines and the host that they
    /// go to are never of two generations. False: its provider or profile is there no more, or its connection stands already; it keeps what
    /// it began with.
    mutating func renewSetup(_ id: Int32) -> Bool {
        guard exchanges[id].setup !== setup else { return true }
        let name = exchanges[id].setup.settings.providers[exchanges[id].provider].id
        guard exchanges[id].upstream < 0, let index = setup.index(of: name), setup.settings.providers[index].baseURL != nil,
            let roster = rosters.roster(of: exchanges[id].agent)
        else { return false }
        if let key = exchanges[id].key {
            guard let renewed = setup.keys.renewed(key), renewed.allows(provider: index) else { return false }
            exchanges[id].key = renewed
        }
        let lineup = lineup(id, roster, index)
        let known = exchanges[id].candidate
        let candidate = known.flatMap { lineup.named($0.key.profileID) }
        guard known == nil || candidate != nil else { return false }
        exchanges[id].setup = setup
        exchanges[id].provider = index
        exchanges[id].home = places[index]
        exchanges[id].origin = places[index]
        exchanges[id].lineup = lineup
        exchanges[id].candidate = candidate
        exchanges[id].position = candidate.flatMap { lineup.position(of: $0.poolKey) } ?? 0
        exchanges[id].tried = TriedPositions()
        exchanges[id].preferred = -1
        exchanges[id].alternate = -1
        return true
    }
}
