public import JSON

/// `auth-state.json` as a document to change (spec/credential-formats.md §1.7): what is known about profiles, without secrets.
/// Ours in it are the order set by command and `needsLogin`; the rest belongs to neighbours and stays as it is.
public struct StateDocument: Sendable, Equatable {
    /// The whole file.
    public private(set) var root: Object

    /// The document an absent file stands for.
    public init() {
        root = ["version": 1]
    }

    /// The document in `root`; nil when it is no object.
    public init?(_ root: Value) {
        guard let root = root.object else { return nil }
        self.root = root
    }

    /// Sets the order of `provider`, in the place of an older spelling of it. An empty list says that there is none, also where the
    /// combined file has one: upstream, too, takes an empty list for no order.
    public mutating func setOrder(_ ids: [String], provider: String) {
        StoredOrder.set(ids, provider: provider, in: &root)
    }

    /// Removes the order of `provider`; false when there is none.
    public mutating func removeOrder(provider: String) -> Bool {
        StoredOrder.remove(provider: provider, in: &root)
    }

    /// Marks the refresh token of `profileID`. A profile has one mark: older ones named tokens that are gone.
    public mutating func mark(_ profileID: String, _ mark: NeedsLogin) {
        _ = removeMarks(of: profileID)
        var marks = root[Self.needsLogin]?.object ?? [:]
        var entry: Object = ["profile": .string(profileID), "code": .string(mark.code)]
        entry["status"] = mark.status.map { .integer(Int64($0)) }
        entry["at"] = .integer(mark.at)
        if mark.accessRejected { entry["accessRejected"] = true }
        marks[mark.fingerprint] = .object(entry)
        root[Self.needsLogin] = .object(marks)
    }

    /// Removes the marks of `profileID`; false when there are none.
    public mutating func removeMarks(of profileID: String) -> Bool {
        guard var marks = root[Self.needsLogin]?.object else { return false }
        let names = marks.names.filter { marks[$0]?["profile"]?.string == profileID }
        for name in names { marks[name] = nil }
        root[Self.needsLogin] = marks.isEmpty ? nil : .object(marks)
        return !names.isEmpty
    }

    /// The marks, by the fingerprint of the refresh token they were made for.
    var marks: [String: NeedsLogin] {
        var found: [String: NeedsLogin] = [:]
        for (fingerprint, value) in root[Self.needsLogin]?.object ?? [:] {
            found[fingerprint] = NeedsLogin(
                fingerprint: fingerprint, code: value["code"]?.string ?? "unknown",
                status: value["status"]?.int64.flatMap { Int(exactly: $0) },
                at: value["at"]?.int64 ?? 0, accessRejected: value["accessRejected"]?.bool ?? false)
        }
        return found
    }

    private static let needsLogin = "needsLogin"
}

/// The `order` member, in either file.
enum StoredOrder {
    /// Whether a neighbour keeps its state in a file with this `root`: which of the two files that is depends on its version (§1.7).
    static func isState(in root: Object) -> Bool {
        ["order", "lastGood", "usageStats"].contains { root[$0]?.object != nil }
    }

    /// Sets the order of `provider`, in the place of an older spelling of it.
    static func set(_ ids: [String], provider: String, in root: inout Object) {
        let provider = ProviderName.normalised(provider)
        var orders = root["order"]?.object ?? [:]
        let name = orders.names.first { ProviderName.normalised($0) == provider } ?? provider
        for other in orders.names where other != name && ProviderName.normalised(other) == provider { orders[other] = nil }
        orders[name] = .array(ids.map { .string($0) })
        root["order"] = .object(orders)
    }

    /// Removes the order of `provider`; false when there is none.
    static func remove(provider: String, in root: inout Object) -> Bool {
        let provider = ProviderName.normalised(provider)
        guard var orders = root["order"]?.object else { return false }
        let names = orders.names.filter { ProviderName.normalised($0) == provider }
        for name in names { orders[name] = nil }
        root["order"] = orders.isEmpty ? nil : .object(orders)
        return !names.isEmpty
    }

    /// The lists by normalised provider, by upstream's rules: lists only, members trimmed, other values and blanks dropped, of two
    /// spellings of one provider the first. An empty list is kept here, for `auth-state.json` to cancel the combined file's.
    static func read(_ root: Object) -> [String: [String]] {
        var orders: [String: [String]] = [:]
        for (name, value) in root["order"]?.object ?? [:] {
            guard let list = value.array else { continue }
            let ids = list.compactMap { $0.string.map { String(Substring($0).trimmingWhitespace()) } }.filter { !$0.isEmpty }
            let provider = ProviderName.normalised(name)
            if orders[provider] == nil { orders[provider] = ids }
        }
        return orders
    }
}
