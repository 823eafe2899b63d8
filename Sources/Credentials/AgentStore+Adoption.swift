import Files
import JSON

/// The change of owner of a login, step by step; see ``Adoption``. Every step is on the disk when it returns.
extension AgentStore {
    /// The folder of what is remembered of adoptions.
    public var importsDirectory: String { sink + "/keybearer/imports" }
    private var importsLockPath: String { locksDirectory + "/imports.lock" }

    /// Runs `body` while nobody else takes over a login or gives one back.
    public func adopting<Result>(_ body: () throws -> Result) throws -> Result {
        _ = try PrivateDirectory.ensure(locksDirectory)
        guard let lock = try FileLock.acquire(importsLockPath, timeout: Self.lockWait, while: { true }) else {
            throw StoreError.locked(path: importsLockPath)
        }
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// What is remembered of this agent's adoptions.
    public func adoptions() -> [(adoption: Adoption, stage: Adoption.Stage)] {
        guard PrivateFile.identity(of: importsDirectory) != nil else { return [] }
        let names = (try? PrivateDirectory.names(importsDirectory)) ?? []
        return names.sorted().compactMap { name in
            guard let dot = name.lastIndex(of: "."), let stage = Adoption.Stage(rawValue: String(name[name.index(after: dot)...])),
                let bytes = ((try? PrivateFile.read("\(importsDirectory)/\(name)")) ?? nil)?.bytes,
                let adoption = (try? Reader.parse(bytes)).flatMap(Adoption.init), self.name(of: adoption.profileID) == name[..<dot]
            else { return nil }
            return (adoption, stage)
        }
    }

    /// Remembers that `adoption` is about to be done.
    public func prepare(_ adoption: Adoption) throws(StoreError) {
        try filing { () throws(FileError) in
            _ = try PrivateDirectory.ensure(importsDirectory)
            // One of an earlier time is over: its profile has been taken out or replaced.
            try PrivateFile.remove(place(adoption, .done))
            try PrivateFile.replace(place(adoption, .pending), with: Writer.pretty(adoption.value))
        }
    }

    /// Takes the file: from here on the login is ours, and in the backup until it is in the store.
    public func take(_ adoption: Adoption) throws(StoreError) {
        try filing { () throws(FileError) in
            try PrivateFile.setAside(adoption.path, as: Self.lastName(of: adoption.backup))
        }
        try leaveRest(of: adoption)
    }

    /// Puts the login into the store. Done again, it changes nothing.
    @discardableResult
    public func own(_ adoption: Adoption) throws(StoreError) -> StoreSnapshot {
        try leaveRest(of: adoption)
        let login = try taken(adoption)
        guard let refresh = login.refresh else { throw .invalid("\(adoption.backup) holds no login that can be renewed") }
        let snapshot = try update { document throws(StoreError) in
            if let held = document.profile(adoption.profileID), held.overlay == nil {
                guard held.refresh?.fingerprint == refresh.fingerprint else {
                    throw .invalid("there is another profile \(adoption.profileID) by now, and the login waits in \(adoption.backup)")
                }
                return false
            }
            // A time nobody knows is taken for past, so that the first use renews it.
            let credential = Credential.oauth(
                access: login.secret, refresh: refresh, expires: login.expires ?? 1, provider: login.provider, accountID: login.accountID,
                email: login.email)
            document.put(credential, id: adoption.profileID)
            return true
        }
        try move(adoption, from: .pending, to: .done)
        return snapshot
    }

    /// Gives the file back, when the login is in no store: the way back from ``take(_:)``, and the end of ``undo(_:client:)``.
    public func giveBack(_ adoption: Adoption) throws(StoreError) {
        if adoption.isTaken {
            if PrivateFile.identity(of: adoption.path) == nil {
                try filing { () throws(FileError) in
                    try PrivateFile.setAside(adoption.backup, as: Self.lastName(of: adoption.path))
                }
            } else {
                try join(adoption)
            }
        }
        try forget(adoption)
    }

    /// Gives up on an adoption of which nothing has been done.
    public func forget(_ adoption: Adoption) throws(StoreError) {
        try filing { () throws(FileError) in
            for stage in Adoption.Stage.allCases { try PrivateFile.remove(place(adoption, stage)) }
        }
    }

    /// Gives a login back that has not been renewed since it was taken over, with no renewal of it under way.
    ///
    /// - Throws: when it was renewed since: what its program has is spent then, and using it would end the login.
    public func undo(_ adoption: Adoption, client: OAuthClient) throws(StoreError) {
        let spent =
            "\(adoption.profileID) was renewed since it was taken over, so that what \(adoption.owner.name) had is spent; "
            + "log in with \(adoption.owner.program) anew"
        guard let taken = try taken(adoption).refresh?.fingerprint, let profile = try load().profile(adoption.profileID),
            profile.refresh?.fingerprint == taken
        else { throw .invalid(spent) }
        let lane = Lane(client: client, profile: profile, agentID: agentID)
        _ = try exclusively(lockPath(of: lane), wait: Lane.waitBound) { () throws(StoreError) in
            guard !isInDoubt(taken, lane) else {
                throw .invalid(
                    "a renewal of \(adoption.profileID) has not been answered, so that nobody knows whether its token is spent; use it once"
                )
            }
            try move(adoption, from: .done, to: .undoing)
            do throws(StoreError) {
                return try update { document throws(StoreError) in
                    guard document.profile(adoption.profileID)?.refresh?.fingerprint == taken else { throw .invalid(spent) }
                    return document.removeEntry(adoption.profileID)
                }
            } catch {
                try move(adoption, from: .undoing, to: .done)
                throw error
            }
        }
        try giveBack(adoption)
    }

    /// Finishes what a crash has left between two owners; what cannot be finished now is a problem only.
    func settleAdoptions() -> [StoreProblem] {
        let unsettled = adoptions().filter { $0.stage == .undoing || $0.stage == .pending && $0.adoption.isTaken }
        guard !unsettled.isEmpty else { return [] }
        _ = try? PrivateDirectory.ensure(locksDirectory)
        // Held: whoever holds it is at it.
        let lock = (try? FileLock.acquire(importsLockPath, timeout: .zero)) ?? nil
        guard lock != nil else { return [] }
        defer { withExtendedLifetime(lock) {} }
        return unsettled.compactMap { adoption, stage in
            do throws(StoreError) {
                try settle(adoption, stage)
                return nil
            } catch {
                return StoreProblem(profileID: adoption.profileID, code: .notImported, message: error.description)
            }
        }
    }

    private func settle(_ adoption: Adoption, _ stage: Adoption.Stage) throws(StoreError) {
        guard stage == .undoing else { return try _ = own(adoption) }
        let held = try document().profile(adoption.profileID)?.refresh?.fingerprint
        // Still in the store: it was not given back, and stays ours.
        if held != nil, held == (try? taken(adoption))?.refresh?.fingerprint { return try move(adoption, from: .undoing, to: .done) }
        try giveBack(adoption)
    }

    // MARK: Files

    private func name(of profileID: String) -> String { ShortHash.of("\(agentID)\0\(profileID)") }

    private func place(_ adoption: Adoption, _ stage: Adoption.Stage) -> String {
        "\(importsDirectory)/\(name(of: adoption.profileID)).\(stage.rawValue)"
    }

    private func move(_ adoption: Adoption, from: Adoption.Stage, to: Adoption.Stage) throws(StoreError) {
        guard PrivateFile.identity(of: place(adoption, from)) != nil else { return }
        try filing { () throws(FileError) in
            try PrivateFile.setAside(place(adoption, from), as: Self.lastName(of: place(adoption, to)))
        }
    }

    private func taken(_ adoption: Adoption) throws(StoreError) -> ExternalLogin {
        do throws(ExternalLoginFlaw) {
            return try adoption.login()
        } catch {
            throw .invalid("\(adoption.backup) \(error.reason)")
        }
    }

    /// What else was in the tool's file stays there.
    private func leaveRest(of adoption: Adoption) throws(StoreError) {
        guard PrivateFile.identity(of: adoption.path) == nil, let root = (try? OverlaySource.root(at: adoption.backup))?.object,
            let rest = adoption.owner.rest(of: root)
        else { return }
        try filing { () throws(FileError) in _ = try PrivateFile.replace(adoption.path, with: Writer.pretty(.object(rest))) }
    }

    /// Puts the login into the file that the tool has by now.
    private func join(_ adoption: Adoption) throws(StoreError) {
        guard let now = (try? OverlaySource.root(at: adoption.path))?.object,
            let taken = (try? OverlaySource.root(at: adoption.backup))?.object, let joined = adoption.owner.joined(now, with: taken)
        else {
            throw .invalid("\(adoption.path) holds a login again, and is left so; what it held before is kept in \(adoption.backup)")
        }
        try filing { () throws(FileError) in
            try PrivateFile.replace(adoption.path, with: Writer.pretty(.object(joined)))
            try PrivateFile.remove(adoption.backup)
        }
    }

    /// Whether that token was sent somewhere without an answer so far.
    private func isInDoubt(_ fingerprint: String, _ lane: Lane) -> Bool {
        guard PrivateFile.identity(of: journalPath(of: lane)) != nil else { return false }
        do throws(FileError) {
            let last = try RefreshJournal(path: journalPath(of: lane)).lastIntent()
            return last.map { $0.isOpen && $0.spent == fingerprint } ?? false
        } catch {
            return true
        }
    }

    private static func lastName(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    private func filing<Result>(_ body: () throws(FileError) -> Result) throws(StoreError) -> Result {
        do { return try body() } catch { throw .file(error) }
    }
}
