/// Connections that carry streams to a provider, by pool key, and who is about to bring another one.
struct CarrierPool {
    /// What a request that needs a stream does.
    enum Choice: Equatable {
        /// Begins one on this connection.
        case use(Int32)
        /// Dials: there is no connection yet, or those there are have much to carry.
        case dial
        /// Waits: somebody dials already, or all is full.
        case wait
        /// Has a connection of its own: the provider was found to speak HTTP/1.1.
        case alone
    }
    /// A connection as it stands.
    struct Standing {
        let carrier: Int32
        let streams: Int
        /// How many the provider lets it have.
        let limit: Int
    }

    /// DESIGN §10: another connection at this many streams, or at this share of the provider's limit.
    static var streamsEach: Int { 32 }
    static var connections: Int { 4 }

    private var lists: [[Int32]] = []

    /// The connections of a key that take new streams.
    func list(_ key: Int) -> [Int32] { key < lists.count ? lists[key] : [] }

    mutating func add(_ carrier: Int32, key: Int) {
        while lists.count <= key { lists.append([]) }
        lists[key].append(carrier)
    }
    mutating func remove(_ carrier: Int32, key: Int) {
        guard key < lists.count else { return }
        lists[key].removeAll { $0 == carrier }
    }

    /// The least busy of the first `count` connections, unless it is time for another one. `dialling`: how many are under way.
    static func choose(_ standings: InlineArray<4, Standing>, count: Int, dialling: Int) -> Choice {
        guard count > 0 else { return dialling > 0 ? .wait : .dial }
        var least = standings[0]
        for at in 1..<max(1, count) where standings[at].streams < least.streams { least = standings[at] }
        let isBusy = least.streams >= min(streamsEach, max(1, least.limit * 3 / 4)) || least.limit == 0
        if !isBusy, least.streams < least.limit { return .use(least.carrier) }
        if count < connections, dialling == 0 { return .dial }
        return least.streams < least.limit ? .use(least.carrier) : .wait
    }
}
