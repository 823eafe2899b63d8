internal import JSON

/// Where usage stands in the files. Usually it is `usageStats` of `auth-state.json`. Where a neighbour keeps its state in the combined file,
/// ours has a name of its own: `usageStats` there would look as if the neighbour had split its files, and a file of secrets is not rewritten
/// for the sake of a cooldown.
enum StoredUsage {
    private static let shared = "usageStats"
    private static let own = "keybearerUsage"

    /// All entries: of one profile's, the one that knows the latest event.
    static func read(store: Object?, state: Object?) -> [String: ProfileUsage] {
        var usage: [String: ProfileUsage] = [:]
        for entries in [store?[shared], state?[shared], state?[own]] {
            for (id, value) in entries?.object ?? [:] {
                guard let object = value.object else { continue }
                let entry = ProfileUsage(object)
                if let known = usage[id], known.latest > entry.latest { continue }
                usage[id] = entry
            }
        }
        return usage
    }

    /// Changes the entries of `ids`; false when `change` wanted nothing else than what was there.
    static func change(
        _ ids: [String], store: Object, in state: inout Object, _ change: (String, ProfileUsage) -> ProfileUsage
    ) -> Bool {
        let before = state
        let isCombined = StoredOrder.isState(in: store) && !StoredOrder.isState(in: state)
        let member = isCombined ? own : shared
        let known = read(store: store, state: state)
        var entries = state[member]?.object ?? [:]
        for id in ids {
            let old = known[id] ?? ProfileUsage()
            let new = change(id, old)
            var entry = entries[id]?.object ?? [:]
            new.write(to: &entry)
            entries[id] = entry.isEmpty ? nil : .object(entry)
        }
        state[member] = entries.isEmpty ? nil : .object(entries)
        // An entry elsewhere would win if it knew of something later, so there is one only.
        let other = isCombined ? shared : own
        if var elsewhere = state[other]?.object {
            for id in ids { elsewhere[id] = nil }
            state[other] = elsewhere.isEmpty ? nil : .object(elsewhere)
        }
        return state != before
    }
}

extension ProfileUsage {
    /// When the latest event was that it tells of.
    fileprivate var latest: Int64 { max(lastUsed ?? 0, lastFailureAt ?? 0) }
}

extension AgentStore {
    /// Changes what is remembered of how `ids` fared; `change` is given what the files hold. Blocks on files and their locks.
    @discardableResult
    public func updateUsage(
        _ ids: [String], _ change: (String, ProfileUsage) -> ProfileUsage
    ) throws(StoreError) -> StoreSnapshot {
        try locked { hold throws(StoreError) in
            let store = try document()
            var state = try stateDocument()
            var root = state.root
            guard StoredUsage.change(ids, store: store.root, in: &root, change) else { return try read() }
            state = StateDocument(.object(root)) ?? state
            try StoreFile<StateDocument>.replace(statePath, with: state.root, under: hold)
            return try read()
        }
    }
}
