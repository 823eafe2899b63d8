internal import Credentials
internal import Files
internal import JSON
internal import Synchronization

/// What one client key has used: its rate's allowance and its tokens of the day. All workers share it.
final class ClientMeter: Sendable {
    private struct State {
        /// Requests that may be made now, in thousandths.
        var allowance: Int64 = 0
        var filledAt: Int64 = 0
        var rate: ClientKey.Rate?
        /// Days since 1970 (UTC), and what was used on that one.
        var day: Int64 = 0
        var tokens: Int64 = 0
    }
    private let state = Mutex(State())
    let budget: Mutex<Int64?>

    init() { budget = Mutex(nil) }

    static let dayMilliseconds: Int64 = 86_400_000

    /// Follows what the key says now; what was used stays used.
    func follow(_ key: ClientKey) {
        budget.withLock { $0 = key.budgetTokens }
        state.withLock { state in
            guard state.rate != key.rate else { return }
            state.rate = key.rate
            state.allowance = Int64(key.rate?.count ?? 0) * 1000
            state.filledAt = 0
        }
    }

    /// Takes a request from the allowance; nil when that is in order, else in how many seconds there is one again. `now`: milliseconds since 1970.
    func take(now: Int64) -> Int? {
        state.withLock { state in
            guard let rate = state.rate else { return nil }
            let most = Int64(rate.count) * 1000
            // A clock that was set back fills nothing.
            if now > state.filledAt {
                let elapsed = min(now - state.filledAt, Int64(rate.seconds) * 1000)
                state.allowance = min(most, state.allowance + elapsed * Int64(rate.count) / Int64(rate.seconds))
                state.filledAt = now
            }
            guard state.allowance < 1000 else {
                state.allowance -= 1000
                return nil
            }
            let missing = 1000 - state.allowance
            return max(1, Int((missing * Int64(rate.seconds) / Int64(rate.count) + 999) / 1000))
        }
    }

    /// Seconds until the next day, when the day's tokens are used up; nil when they are not.
    func exhausted(now: Int64) -> Int? {
        guard let budget = budget.withLock({ $0 }) else { return nil }
        let day = now / Self.dayMilliseconds
        let used = state.withLock { $0.day == day ? $0.tokens : 0 }
        return used < budget ? nil : Int(((day + 1) * Self.dayMilliseconds - now + 999) / 1000)
    }
    /// Whether tokens are to be counted.
    var counts: Bool { budget.withLock { $0 } != nil }

    func spent(_ tokens: Int64, now: Int64) {
        let day = now / Self.dayMilliseconds
        state.withLock { state in
            if state.day != day { (state.day, state.tokens) = (day, 0) }
            state.tokens += max(0, tokens)
        }
    }

    fileprivate var today: (day: Int64, tokens: Int64) { state.withLock { ($0.day, $0.tokens) } }
}

/// What client keys have used, for whoever asks without a server.
public enum ClientUsage {
    static let suffix = ".spent"

    /// Tokens of the day of `now` by key id, as a server wrote them down last. `clients`: the file of keys.
    public static func tokens(in clients: String, now: Int64) -> [String: Int64] { ClientLedger(path: clients + suffix).tokens(now: now) }
}

/// The meters of all keys, which outlive the generations of settings; the day's tokens outlive the server, in a file.
final class ClientLedger: Sendable {
    private let meters = Mutex<[String: ClientMeter]>([:])
    private let path: String?
    private let written = Mutex<[String: Int64]>([:])

    /// - Parameter path: the file; nil: none.
    init(path: String? = nil) {
        self.path = path
        guard let path, let contents = (try? PrivateFile.read(path)) ?? nil, let object = (try? Reader.parse(contents.bytes))?.object,
            let day = object["day"]?.int64
        else { return }
        for (id, tokens) in object["tokens"]?.object ?? [:] {
            let meter = ClientMeter()
            meter.spent(tokens.int64 ?? 0, now: day * ClientMeter.dayMilliseconds)
            meters.withLock { $0[id] = meter }
        }
    }

    /// The key's meter, told what the key says now.
    func meter(_ key: ClientKey) -> ClientMeter {
        let meter = meters.withLock { meters in
            if let known = meters[key.id] { return known }
            let meter = ClientMeter()
            meters[key.id] = meter
            return meter
        }
        meter.follow(key)
        return meter
    }

    /// What has been used on the day of `now`, by id.
    func tokens(now: Int64) -> [String: Int64] {
        let day = now / ClientMeter.dayMilliseconds
        return meters.withLock { $0 }.compactMapValues { $0.today.day == day && $0.today.tokens > 0 ? $0.today.tokens : nil }
    }

    /// Writes the day's tokens, if there are other than before. Blocks on the file.
    func save(now: Int64) {
        let tokens = tokens(now: now)
        guard let path, written.withLock({ $0 != tokens }) else { return }
        let members = tokens.sorted { $0.key < $1.key }.map { ($0.key, Value.integer($0.value)) }
        let document: Value = ["day": .integer(now / ClientMeter.dayMilliseconds), "tokens": .object(Object(members))]
        if (try? PrivateFile.replace(path, with: Writer.compact(document))) != nil { written.withLock { $0 = tokens } }
    }
}
