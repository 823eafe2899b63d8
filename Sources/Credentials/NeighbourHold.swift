import Files

/// The neighbours' locks that one change or one refresh of ours holds, all of them or none. Given back by ``release()``.
public final class NeighbourHold: Sendable {
    private let locks: [NeighbourLock]

    /// How long to wait for a neighbour: about as long as neighbours wait for each other (§2.4.7).
    static let wait = Duration.seconds(45)

    init(_ locks: [NeighbourLock]) { self.locks = locks }

    deinit { release() }

    /// Takes the locks in their order, those that were lost anew. Nil when all are ours, else the path of the one that another holds.
    func acquire(while waiting: () -> Bool) throws(FileError) -> String? {
        let deadline = ContinuousClock.now + Self.wait
        for lock in locks where !lock.isIntact {
            lock.release()
            guard try lock.acquire(until: deadline, while: waiting) else { return lock.path }
        }
        return nil
    }

    /// Whether every one of them is still ours.
    var isIntact: Bool { locks.allSatisfy(\.isIntact) }

    /// Whether the lock at `path` is among them.
    func covers(_ path: String) -> Bool { locks.contains { $0.path == path } }

    /// Gives all of them back, the last one first.
    public func release() {
        for lock in locks.reversed() { lock.release() }
    }
}

extension AgentStore {
    /// Who shares the store. A lock that stands there tells of a neighbour nothing else tells of.
    var neighbour: Neighbour? {
        if let neighbour = Neighbour.sharing(sink) { return neighbour }
        for path in neighbourLockPaths {
            if let form = try? LockName(path).look()?.form { return Neighbour(form: form) }
        }
        return nil
    }

    /// Whether another program is taken to use this store as well, so that its locks are taken before ours.
    public var isShared: Bool { neighbour != nil }

    /// Where neighbours lock this store, in the order to take them: beside the file behind a link (proper-lockfile) and beside the
    /// link (§2.2); one and the same without one.
    var neighbourLockPaths: [String] {
        let folder = PrivateFile.realPath(of: directory) ?? directory
        let name = folder + "/auth-profiles.json"
        let target = PrivateFile.realPath(of: profilesPath) ?? name
        return Set([name, target]).sorted().map { $0 + ".lock" }
    }

    /// What keeps every neighbour from refreshing `profile`, taken before its token is read; nil where nobody shares the store. A store
    /// that is used meanwhile is `using(_:)` it. `waiting` is asked before every wait.
    ///
    /// - Throws: ``StoreError/locked(path:)`` when a neighbour is at it for too long.
    public func excludingNeighbours(
        refreshing profile: Profile, while waiting: () -> Bool = { true }
    ) throws(StoreError) -> NeighbourHold? {
        guard let neighbour else { return nil }
        var locks: [NeighbourLock] = []
        if neighbour.hasRefreshLocks {
            let folder = "\(PrivateFile.realPath(of: sink) ?? sink)/locks/oauth-refresh"
            do throws(FileError) { _ = try PrivateDirectory.ensure(folder) } catch { throw .file(error) }
            for make in [RefreshLockName.sha256, RefreshLockName.doubleHash] {
                let path = "\(folder)/\(make(profile.provider, profile.id)).lock"
                locks.append(NeighbourLock(path, form: .file, rules: .refresh, ownLockPath: ownLockPath(for: path)))
            }
        }
        if neighbour.refreshesUnderStoreLock { locks += storeLocks(of: neighbour) }
        return try take(NeighbourHold(locks), while: waiting)
    }

    /// This store for calls while `hold` is held: what it covers is not waited for again.
    public func using(_ hold: NeighbourHold?) -> AgentStore {
        var store = self
        store.hold = hold
        return store
    }

    /// Runs `body` while no neighbour changes the store, if anyone shares it. `body` is given what tells whether that is still so; when
    /// it was not at the end, it is run again under fresh locks and reads anew (§2.4.4): nothing that it wants to write is lost.
    func excludingNeighbours(
        _ body: (NeighbourHold?) throws(StoreError) -> StoreSnapshot
    ) throws(StoreError) -> StoreSnapshot {
        let paths = neighbourLockPaths
        let ours = hold.flatMap { hold in paths.allSatisfy(hold.covers) ? hold : nil }
        guard let hold = ours ?? neighbour.map({ NeighbourHold(storeLocks(of: $0)) }) else { return try body(nil) }
        defer { if ours == nil { hold.release() } }
        return try SignalShield.watching { (shield) throws(StoreError) in
            for _ in 0..<Self.attempts {
                _ = try take(hold, while: { !shield.isInterrupted })
                do throws(StoreError) {
                    return try body(hold)
                } catch {
                    guard case .file(let cause) = error, cause.rule == .lostLock else { throw error }
                }
            }
            throw .locked(path: paths[0])
        }
    }

    private static let attempts = 3

    private func storeLocks(of neighbour: Neighbour) -> [NeighbourLock] {
        neighbourLockPaths.map { NeighbourLock($0, form: neighbour.form, rules: .store, ownLockPath: ownLockPath(for: $0)) }
    }

    private func take(_ hold: NeighbourHold, while waiting: () -> Bool) throws(StoreError) -> NeighbourHold {
        let held: String?
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(locksDirectory)
            held = try hold.acquire(while: waiting)
        } catch {
            hold.release()
            throw .file(error)
        }
        guard let held else { return hold }
        hold.release()
        throw .locked(path: held)
    }

    /// Where our own processes meet before they look at the neighbours' lock at `path`.
    private func ownLockPath(for path: String) -> String { "\(locksDirectory)/neighbour-\(ShortHash.of(path)).lock" }

    /// Removes what processes of ours that were killed have left of locks on this store: for a start. A lock that is held is left alone.
    public func removeLeftoverLocks() {
        let isLocked = neighbourLockPaths.contains { path in (try? LockName(path).look()) != nil }
        guard isLocked, !isRetired, let neighbour, let hold = try? take(NeighbourHold(storeLocks(of: neighbour)), while: { false }) else {
            return
        }
        hold.release()
    }
}
