import Files

/// What must not be refreshed twice at once: one account at one token endpoint under one client id (else one profile of one agent).
/// Two lanes run side by side; two holders of one lane never.
public struct Lane: Sendable, Hashable {
    /// The lane's name: a hash, used in file names. Profiles of one account share it and so exclude each other.
    public let name: String
    /// The name of this profile's journal in the lane: what a crash leaves open belongs to one profile of one agent.
    public let journalName: String
    /// The name of all lanes of this client id, whose refreshes start a little apart.
    public let clientName: String

    /// How long to wait for a lane: the token endpoint's time-out plus 5 s, so that a waiter outlasts any live holder.
    public static let waitBound = Duration.seconds(35)

    /// The lane in which `profile` of `agentID` is refreshed.
    public init(client: OAuthClient, profile: Profile, agentID: String) {
        let origin = EndpointURL(client.place)?.origin ?? client.place
        let owner = profile.accountID.map { "account\0\($0)" } ?? "profile\0\(agentID)\0\(profile.id)"
        name = ShortHash.of("\(origin)\0\(client.clientID)\0\(owner)")
        journalName = "\(name)-\(ShortHash.of("\(agentID)\0\(profile.id)").prefix(16))"
        clientName = ShortHash.of("\(origin)\0\(client.clientID)")
    }
}

extension AgentStore {
    /// The lane's lock file: made once, never renamed or unlinked.
    public func lockPath(of lane: Lane) -> String { "\(locksDirectory)/lane-\(lane.name).lock" }

    /// The profile's journal.
    public func journalPath(of lane: Lane) -> String { "\(journalDirectory)/\(lane.journalName)" }

    /// The lock under which refreshes of one client id take their turn to start.
    public func startLockPath(of lane: Lane) -> String { "\(locksDirectory)/client-\(lane.clientName).lock" }

    /// The file that holds when the last of them started.
    public func startTimePath(of lane: Lane) -> String { "\(locksDirectory)/client-\(lane.clientName).started" }

    /// Runs `body`, which replaces or removes the credential of the profile `id`, while no refresh of it is in flight, and then erases
    /// what a crash may have left of it in the journal. Without a client, or for another kind of profile, there is only `body`.
    func holdingLane(
        of id: String, _ client: OAuthClient?, _ body: () throws(StoreError) -> StoreSnapshot
    ) throws(StoreError) -> StoreSnapshot {
        guard let client, let profile = try load().profile(id), profile.kind == .oauth else { return try body() }
        let lane = Lane(client: client, profile: profile, agentID: agentID)
        return try exclusively(lockPath(of: lane), wait: Lane.waitBound) { () throws(StoreError) in
            let snapshot = try body()
            if PrivateFile.identity(of: journalPath(of: lane)) != nil {
                // The store is right either way; an answer left behind is settled by the next refresh.
                try? RefreshJournal(path: journalPath(of: lane)).erase()
            }
            return snapshot
        }
    }

    /// Runs `body` under the lock file at `path`.
    func exclusively(
        _ path: String, wait: Duration, _ body: () throws(StoreError) -> StoreSnapshot
    ) throws(StoreError) -> StoreSnapshot {
        let lock: FileLock?
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(locksDirectory)
            lock = try FileLock.acquire(path, timeout: wait, while: { true })
        } catch {
            throw .file(error)
        }
        guard let lock else { throw .locked(path: path) }
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }
}
