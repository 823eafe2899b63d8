/// What commands do to the store. Each is one change under the store's lock, decided on what is read under it.
extension AgentStore {
    /// Makes the profile `id` hold `credential`: added at the end, or replaced in its place. With the `client` of an oauth profile that
    /// is replaced, a refresh in flight is waited for; without, the new credential wins over it all the same (compare-and-set). A proxy
    /// that the profile has stays unless another is given.
    @discardableResult
    public func put(
        _ credential: Credential, id: String, client: OAuthClient? = nil, proxy: OutboundProxy? = nil
    ) throws(StoreError) -> StoreSnapshot {
        guard ProfileEntry.isAcceptable(id: id) else {
            throw .invalid("A profile id has 1 to 256 octets and no control character.")
        }
        guard !credential.provider.isEmpty else { throw .invalid("A profile needs a provider.") }
        return try holdingLane(of: id, client) { () throws(StoreError) in
            try update { document throws(StoreError) in
                document.put(credential, id: id, proxy: proxy)
                return true
            }
        }
    }

    /// What became of a profile that was to be added.
    public enum Addition: Sendable, Equatable {
        /// It is there now.
        case added
        /// It was there, just so.
        case unchanged
        /// Another profile has that name, and keeps it.
        case taken
    }

    /// Adds `credential` as the profile `id`, unless there is one of that name.
    public func add(_ credential: Credential, id: String) throws(StoreError) -> Addition {
        try add(id) { document in document.put(credential, id: id) }
    }

    /// Adds another program's login as the profile `id`, unless there is one of that name.
    public func add(_ overlay: Overlay, provider: String, isKey: Bool, id: String) throws(StoreError) -> Addition {
        try add(id) { document in document.putOverlay(overlay, provider: provider, isKey: isKey, id: id) }
    }

    private func add(_ id: String, _ put: (inout StoreDocument) -> Void) throws(StoreError) -> Addition {
        guard ProfileEntry.isAcceptable(id: id) else { throw .invalid("A profile id has 1 to 256 octets and no control character.") }
        var addition = Addition.added
        try update { document throws(StoreError) in
            let before = document
            put(&document)
            if before.entry(id) != nil { addition = document == before ? .unchanged : .taken }
            if addition != .added { document = before }
            return addition == .added
        }
        return addition
    }

    /// Removes the profile `id`, and every byte of its credential with it. Orders that name it stay: it may come back.
    @discardableResult
    public func remove(id: String, client: OAuthClient? = nil) throws(StoreError) -> StoreSnapshot {
        try holdingLane(of: id, client) { () throws(StoreError) in
            try update { document throws(StoreError) in
                guard document.removeEntry(id) else { throw .unknownProfile(id: id) }
                return true
            }
        }
    }

    /// Sets the order of `provider`. Every id must be a profile of it, here or in `inherited`; a profile that is not listed is not used.
    @discardableResult
    public func setOrder(
        _ ids: [String], provider: String, besides inherited: StoreSnapshot? = nil
    ) throws(StoreError) -> StoreSnapshot {
        guard !ids.isEmpty else { throw .invalid("An order names at least one profile; `order clear` removes it.") }
        var seen: Set<String> = []
        let unique = ids.filter { seen.insert($0).inserted }
        return try changeOrder { document, state, isCombined, snapshot throws(StoreError) in
            for id in ids {
                guard let profile = snapshot.profile(id) ?? inherited?.profile(id) else { throw .unknownProfile(id: id) }
                guard profile.provider == ProviderName.normalised(provider) else {
                    throw .providerMismatch(id: id, provider: profile.provider)
                }
            }
            if isCombined { document.setOrder(unique, provider: provider) } else { state.setOrder(unique, provider: provider) }
        }
    }

    /// Removes the order of `provider`. One that stands in the combined file of a neighbour that keeps its state elsewhere by now is left
    /// there and cancelled.
    @discardableResult
    public func clearOrder(provider: String) throws(StoreError) -> StoreSnapshot {
        let name = ProviderName.normalised(provider)
        return try changeOrder { document, state, isCombined, snapshot throws(StoreError) in
            guard snapshot.order[name] != nil else { return }
            if isCombined {
                _ = document.removeOrder(provider: name)
            } else if StoredOrder.read(document.root)[name] != nil {
                state.setOrder([], provider: name)
            } else {
                _ = state.removeOrder(provider: name)
            }
        }
    }

    /// Changes the order where the neighbour at hand looks for it: in the combined file as long as the state is kept there and nowhere
    /// else, else in `auth-state.json` (spec/credential-formats.md §1.7).
    private func changeOrder(
        _ change: (inout StoreDocument, inout StateDocument, _ isCombined: Bool, StoreSnapshot) throws(StoreError) -> Void
    ) throws(StoreError) -> StoreSnapshot {
        try locked { hold throws(StoreError) in
            let (document, state) = (try document(), try stateDocument())
            let isCombined = StoredOrder.isState(in: document.root) && !StoredOrder.isState(in: state.root)
            var (newDocument, newState) = (document, state)
            try change(&newDocument, &newState, isCombined, try read())
            if newDocument != document {
                try StoreFile<StoreDocument>.replace(profilesPath, with: newDocument.root, under: hold, keepsLastGood: true)
            }
            if newState != state { try StoreFile<StateDocument>.replace(statePath, with: newState.root, under: hold) }
            return try read()
        }
    }

    /// Marks the refresh token of `id` as refused; nothing happens if the profile holds another one by now.
    @discardableResult
    public func markNeedsLogin(id: String, _ mark: NeedsLogin) throws(StoreError) -> StoreSnapshot {
        try updateState { document, snapshot in
            guard snapshot.profile(id)?.refresh?.fingerprint == mark.fingerprint else { return false }
            document.mark(id, mark)
            return true
        }
    }

    /// Removes the mark of `id`.
    @discardableResult
    public func clearNeedsLogin(id: String) throws(StoreError) -> StoreSnapshot {
        try updateState { document, _ in document.removeMarks(of: id) }
    }
}
