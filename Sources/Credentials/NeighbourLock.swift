import Files
import Glibc
import JSON
import Synchronization

/// One lock that neighbours understand (spec/credential-formats.md §2.1-2.4), at one path, taken by one holder of this process at a time.
/// ```
/// free ─ acquire ─▶ held ─ release ─▶ free
///                    │ ▲
///        heartbeat finds another's ─▶ lost ─ acquire ─▶ held
/// ```
/// A lock file of ours comes first: it keeps our own processes from removing the same stale lock one after the other, the second one
/// somebody's fresh one, and in it the holder notes what the next one may remove should it die.
final class NeighbourLock: Sendable {
    let path: String
    private let form: LockName.Form
    private let rules: LockRules
    private let ownLockPath: String
    private let timing: Timing
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var held: Held?
    }

    /// What there is as long as the lock is ours.
    private struct Held: ~Copyable {
        let own: FileLock
        let name: LockName
        /// What we made, with the time of the last heartbeat.
        var mark: LockName.Sighting
        var beatenAt: Int64
        let pulse: Int
        var isLost = false
    }

    /// Intervals and the clock, for tests to turn.
    struct Timing: Sendable {
        var directoryBeat = Duration.seconds(5)
        var fileBeat = Duration.seconds(10)
        var pause = Duration.milliseconds(25)
        var now: @Sendable () -> Int64 = WallTime.milliseconds
    }

    /// A lock at `path` that is not held yet; `ownLockPath` is the file that our own processes meet at.
    init(_ path: String, form: LockName.Form, rules: LockRules, ownLockPath: String, timing: Timing = Timing()) {
        self.path = path
        self.form = form
        self.rules = rules
        self.ownLockPath = ownLockPath
        self.timing = timing
    }

    deinit { release() }

    /// Takes the lock. False when another holds it beyond `deadline`, or `waiting` said to stop waiting.
    func acquire(until deadline: ContinuousClock.Instant, while waiting: () -> Bool) throws(FileError) -> Bool {
        let left = max(deadline - .now, .zero)
        guard let own = try FileLock.acquire(ownLockPath, timeout: left, while: waiting) else { return false }
        let name = try LockName(path)
        removeLeftover(name, own)
        while true {
            if let mark = try make(name) {
                hold(own, name, mark)
                return true
            }
            if let seen = try name.look(), rules.isStale(seen, now: timing.now()), name.takeAway(seen) { continue }
            guard ContinuousClock.now < deadline, waiting() else { return false }
            pause()
        }
    }

    /// Gives the lock back. What has its name by now, if it was lost, is another's and stays.
    func release() {
        state.withLock { state in
            guard let held = state.held.take() else { return }
            Pulse.shared.stop(held.pulse)
            if !held.isLost { _ = held.name.remove(held.mark) }
            held.own.leave(note: [])
        }
    }

    /// Whether it is certainly still ours: what we made is there, and its last sign of life is young enough that nobody takes it away.
    var isIntact: Bool { state.withLock { state in withHeld(&state, default: false) { isIntact(&$0) } } }

    /// Shows that the holder lives; false, and the lock is lost, when another has the name. Called by the pulse.
    func beat() -> Bool { state.withLock { state in withHeld(&state, default: false) { beat(&$0) } } }

    // MARK: Taking

    /// What we made, if the name was free.
    private func make(_ name: borrowing LockName) throws(FileError) -> LockName.Sighting? {
        let now = timing.now()
        switch form {
        case .directory:
            guard try name.makeDirectory() else { return nil }
            // A whole millisecond: what the other side can remember and compare (§2.4).
            do throws(FileError) {
                try name.setModified(now * 1_000_000)
            } catch {
                if let made = try? name.look() { _ = name.remove(made) }
                throw error
            }
            return try name.look()
        case .file:
            return try name.makeFile(LockPayload.ours(at: now).bytes) ? name.look() : nil
        }
    }

    private func hold(_ own: consuming FileLock, _ name: consuming LockName, _ mark: LockName.Sighting) {
        leaveNote(mark, own)
        let pulse = Pulse.shared.start(every: form == .directory ? timing.directoryBeat : timing.fileBeat) { [weak self] in
            self?.beat() ?? false
        }
        var held: Held? = Held(own: own, name: name, mark: mark, beatenAt: timing.now(), pulse: pulse)
        state.withLock { $0.held = held.take() }
    }

    private func pause() {
        let (_, attoseconds) = timing.pause.components
        usleep(UInt32(attoseconds / 1_000_000_000_000))
    }

    // MARK: Holding

    private func beat(_ held: inout Held) -> Bool {
        guard !held.isLost else { return false }
        let now = timing.now()
        do throws(FileError) {
            guard let seen = try held.name.look(), seen.isSame(as: held.mark) else { return lose(&held) }
            switch form {
            case .directory:
                try held.name.setModified(now * 1_000_000)
                held.mark = LockName.Sighting(form: form, device: seen.device, inode: seen.inode, modified: now * 1_000_000)
                leaveNote(held.mark, held.own)
            case .file:
                let payload = LockPayload.ours(at: now)
                let text = Array(InstantText.of(now).utf8)
                guard try held.name.rewrite(text, at: payload.createdAtOffset, in: seen) else { return lose(&held) }
                held.mark = LockName.Sighting(
                    form: form, device: seen.device, inode: seen.inode, modified: seen.modified, content: payload.bytes)
            }
            held.beatenAt = now
        } catch {
            // A disk that fails for a moment: it is tried again, until others must take the lock for abandoned.
            if now - held.beatenAt >= rules.staleAfter { return lose(&held) }
        }
        return true
    }

    private func isIntact(_ held: inout Held) -> Bool {
        guard !held.isLost, let seen = try? held.name.look(), seen.isSame(as: held.mark) else { return false }
        // Stopped, or asleep with the machine: another may be removing it at this moment.
        return timing.now() - held.beatenAt < rules.staleAfter * 9 / 10
    }

    private func lose(_ held: inout Held) -> Bool {
        held.isLost = true
        return false
    }

    private func withHeld<Result>(_ state: inout State, default none: Result, _ body: (inout Held) -> Result) -> Result {
        guard var held = state.held.take() else { return none }
        let result = body(&held)
        state.held = consume held
        return result
    }

    // MARK: What a dead holder left

    /// A directory cannot say whose it is, so its holder notes it in our own lock file. Whoever holds that file now knows that the one
    /// who wrote the note has gone. The time has to fit as well: numbers of files are used again at once. A lock in the form of a file
    /// names its process, and the rules see that it is dead.
    private func leaveNote(_ mark: LockName.Sighting, _ own: borrowing FileLock) {
        guard mark.form == .directory else { return }
        let note: Value = [
            "path": .string(path), "device": .string(String(mark.device)), "inode": .string(String(mark.inode)),
            "modified": .integer(mark.modified),
        ]
        own.leave(note: Writer.compact(note))
    }

    private func removeLeftover(_ name: borrowing LockName, _ own: borrowing FileLock) {
        let note = own.note
        guard !note.isEmpty else { return }
        own.leave(note: [])
        guard let note = try? Reader.parse(note), note["path"]?.string == path, let seen = try? name.look() else { return }
        guard seen.form == .directory, note["device"]?.string == String(seen.device), note["inode"]?.string == String(seen.inode),
            note["modified"]?.int64 == seen.modified
        else { return }
        _ = name.takeAway(seen)
    }
}

/// The time of day.
enum WallTime {
    /// ms since 1970.
    static let milliseconds: @Sendable () -> Int64 = {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
