import Files
import Glibc
import Synchronization
import Testing

@testable import Credentials

@Suite struct NeighbourLockTests {
    /// A lock beside a store, and the clock it goes by.
    private final class Scene {
        let sink = TemporarySink()
        let offset = Box()

        final class Box: Sendable {
            let value = Atomic<Int64>(0)
        }

        init() { mkdir(sink.path + "/keybearer", 0o700); mkdir(sink.store.locksDirectory, 0o700) }

        func lock(_ form: LockName.Form, beat: Duration = .seconds(5)) -> NeighbourLock {
            let offset = offset
            let timing = NeighbourLock.Timing(
                directoryBeat: beat, fileBeat: beat, pause: .milliseconds(2),
                now: { WallTime.milliseconds() + offset.value.load(ordering: .relaxed) })
            return NeighbourLock(
                sink.lockPath, form: form, rules: .store, ownLockPath: sink.store.locksDirectory + "/neighbour-x.lock", timing: timing)
        }

        func take(_ lock: NeighbourLock, within limit: Duration = .milliseconds(30)) throws -> Bool {
            try lock.acquire(until: .now + limit, while: { true })
        }

        var sighting: LockName.Sighting? { try? LockName(sink.lockPath).look() }

        /// Makes a lock of `form` as a neighbour would, that long ago.
        func leave(_ form: LockName.Form, pid: Int32 = getpid(), ago seconds: Int = 0) {
            if form == .directory {
                mkdir(sink.lockPath, 0o755)
            } else {
                let created = InstantText.of(WallTime.milliseconds() - Int64(seconds) * 1000)
                sink.write(#"{"pid": \#(pid), "createdAt": "\#(created)"}"#, to: sink.lockPath, mode: 0o644)
            }
            let time = timespec(tv_sec: time(nil) - seconds, tv_nsec: 0)
            utimensat(AT_FDCWD, sink.lockPath, [time, time], 0)
        }
    }

    private final class Count: Sendable {
        let holders = Atomic(0)
        let most = Atomic(0)
        let taken = Atomic(0)
    }

    static let forms = [LockName.Form.directory, .file]

    @Test(arguments: forms) func takenItStandsThereAndGivenBackItIsGone(form: LockName.Form) throws {
        let scene = Scene()
        let lock = scene.lock(form)
        #expect(try scene.take(lock))
        #expect(lock.isIntact)
        #expect(scene.sighting?.form == form)
        if form == .file { #expect(LockPayload(scene.sighting!.content)?.process == getpid()) }
        if form == .directory { #expect(scene.sighting!.modified % 1_000_000 == 0, "whole milliseconds") }
        lock.release()
        #expect(scene.sighting == nil)
        #expect(!lock.isIntact)
        #expect(try scene.take(lock), "it can be taken again")
    }

    @Test(arguments: forms) func letGoOfItIsGivenBack(form: LockName.Form) throws {
        let scene = Scene()
        do {
            let lock = scene.lock(form)
            #expect(try scene.take(lock))
        }
        #expect(scene.sighting == nil)
    }

    @Test(arguments: forms, forms) func aLiveLockOfEitherFormIsWaitedForAndNotTouched(form: LockName.Form, theirs: LockName.Form) throws {
        let scene = Scene()
        scene.leave(theirs, ago: 10)
        let before = scene.sighting
        #expect(try !scene.take(scene.lock(form)))
        #expect(scene.sighting == before)
    }

    @Test(arguments: forms, forms) func aStaleLockOfEitherFormIsTakenAway(form: LockName.Form, theirs: LockName.Form) throws {
        let scene = Scene()
        scene.leave(theirs, ago: 31)
        let lock = scene.lock(form)
        #expect(try scene.take(lock))
        #expect(scene.sighting?.form == form)
        lock.release()
        #expect(scene.sink.names(in: scene.sink.store.directory).isEmpty, "nothing moved aside is left")
    }

    @Test func aDeadProcessesFileIsTakenAwayAtOnce() throws {
        let scene = Scene()
        scene.leave(.file, pid: .max)
        #expect(try scene.take(scene.lock(.directory)))
    }

    @Test func aDirectoryWithSomethingInItIsPutBack() throws {
        let scene = Scene()
        scene.leave(.directory)
        scene.sink.write("", to: scene.sink.lockPath + "/x")
        let time = timespec(tv_sec: time(nil) - 60, tv_nsec: 0)
        utimensat(AT_FDCWD, scene.sink.lockPath, [time, time], 0)
        #expect(try !scene.take(scene.lock(.directory)))
        #expect(scene.sink.names(in: scene.sink.lockPath) == ["x"])
    }

    @Test(arguments: ["link", "fifo"]) func whatIsNoLockIsLeftAloneAndBlocksNobody(kind: String) throws {
        let scene = Scene()
        if kind == "link" { symlink("/nowhere", scene.sink.lockPath) } else { mkfifo(scene.sink.lockPath, 0o600) }
        #expect(try !scene.take(scene.lock(.file)))
        var info = stat()
        #expect(lstat(scene.sink.lockPath, &info) == 0)
    }

    @Test(arguments: forms) func theHeartbeatKeepsItAliveBeyondItsTime(form: LockName.Form) throws {
        let scene = Scene()
        let lock = scene.lock(form)
        #expect(try scene.take(lock))
        for _ in 0..<4 {
            scene.offset.value.wrappingAdd(20_000, ordering: .relaxed)
            #expect(lock.beat())
            #expect(lock.isIntact)
        }
        let now = WallTime.milliseconds() + 80_000
        // A file's own time is the kernel's, which the turned clock leaves behind; its text is what its protocol reads first.
        if form == .file { #expect(LockPayload(scene.sighting!.content)!.createdAt! > now - 1000) }
        if form == .directory { #expect(!LockRules.store.isStale(scene.sighting!, now: now)) }
    }

    @Test(arguments: forms) func theHeartbeatComesByItself(form: LockName.Form) throws {
        let scene = Scene()
        let lock = scene.lock(form, beat: .milliseconds(100))
        #expect(try scene.take(lock))
        let before = scene.sighting
        var waited = 0
        while scene.sighting == before, waited < 100 { usleep(50_000); waited += 1 }
        #expect(scene.sighting != before)
        #expect(lock.isIntact)
    }

    @Test(arguments: forms) func aHolderThatSleptTooLongNoLongerCountsOnIt(form: LockName.Form) throws {
        let scene = Scene()
        let lock = scene.lock(form)
        #expect(try scene.take(lock))
        scene.offset.value.store(28_000, ordering: .relaxed)
        #expect(!lock.isIntact, "someone may be taking it away")
        #expect(lock.beat(), "if nobody did, it is alive again")
        #expect(lock.isIntact)
    }

    @Test(arguments: forms, forms) func aLostLockIsNoticedAndAnothersIsNotRemoved(form: LockName.Form, theirs: LockName.Form) throws {
        let scene = Scene()
        let lock = scene.lock(form)
        #expect(try scene.take(lock))
        if form == .directory { rmdir(scene.sink.lockPath) } else { unlink(scene.sink.lockPath) }
        scene.leave(theirs, pid: 1)
        let after = scene.sighting
        #expect(!lock.isIntact)
        #expect(!lock.beat())
        lock.release()
        #expect(scene.sighting == after)
    }

    @Test func someoneElsesHeartbeatOnOurDirectoryIsALoss() throws {
        let scene = Scene()
        let lock = scene.lock(.directory)
        #expect(try scene.take(lock))
        let time = timespec(tv_sec: time(nil) + 1, tv_nsec: 0)
        utimensat(AT_FDCWD, scene.sink.lockPath, [time, time], 0)
        #expect(!lock.beat())
        #expect(!lock.isIntact)
    }

    @Test func twoOfOneProcessExcludeEachOther() throws {
        let scene = Scene()
        let first = scene.lock(.file)
        #expect(try scene.take(first))
        #expect(try !scene.take(scene.lock(.file)))
        first.release()
        #expect(try scene.take(scene.lock(.file)))
    }

    @Test func aDirectoryOfOurOwnDeadProcessIsRemovedAtOnceAndAnothersIsNot() async throws {
        for isOurs in [true, false] {
            let scene = Scene()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = scene.sink.lockPath as String, own = (scene.sink.store.locksDirectory + "/neighbour-x.lock") as String] in
                let lock = NeighbourLock(path, form: .directory, rules: .store, ownLockPath: own)
                try #require(try lock.acquire(until: .now, while: { false }))
                kill(getpid(), SIGKILL)
            }
            #expect(scene.sighting?.form == .directory, "killed, it left its lock behind")
            if !isOurs {
                rmdir(scene.sink.lockPath)
                scene.leave(.directory)
            }
            #expect(try scene.take(scene.lock(.directory)) == isOurs)
        }
    }

    @Test func manyTakersNeverHoldItTogether() async throws {
        let scene = Scene()
        scene.leave(.directory, ago: 60)
        let count = Count()
        let path = scene.sink.lockPath
        let own = scene.sink.store.locksDirectory + "/neighbour-x.lock"
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    for _ in 0..<10 {
                        let lock = NeighbourLock(path, form: number.isMultiple(of: 2) ? .file : .directory, rules: .store, ownLockPath: own)
                        guard (try? lock.acquire(until: .now + .seconds(20), while: { true })) == true else { continue }
                        count.most.max(count.holders.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
                        usleep(500)
                        count.holders.subtract(1, ordering: .relaxed)
                        count.taken.add(1, ordering: .relaxed)
                        lock.release()
                    }
                }
            }
        }
        #expect(count.most.load(ordering: .relaxed) == 1)
        #expect(count.taken.load(ordering: .relaxed) == 80)
        #expect(scene.sighting == nil)
    }
}
