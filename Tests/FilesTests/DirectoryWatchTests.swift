import Glibc
import Synchronization
import Testing

@testable import Files

@Suite struct DirectoryWatchTests {
    let folder = TemporaryFolder()

    /// When the change was made, as told by the thread that made it.
    private final class Moment: Sendable {
        let time = Mutex(ContinuousClock.now)
    }

    /// Changes the folder from another thread after 50 ms, and says how long after that the watch spoke, and of what.
    private func report(of watch: DirectoryWatch, after change: @escaping @Sendable () -> Void) -> (names: Set<String>, delay: Duration) {
        let moment = Moment()
        let thread = TestThread {
            usleep(50_000)
            moment.time.withLock { $0 = .now }
            change()
        }
        let names = watch.wait(timeout: .seconds(5))
        let end = ContinuousClock.now
        thread.join()
        return (names, end - moment.time.withLock { $0 })
    }

    @Test func aReplacementIsReportedWithin100Milliseconds() {
        let path = folder("store")
        let watch = DirectoryWatch([folder.path])
        #expect(!watch.isPolling && watch.descriptor >= 0)
        let (names, delay) = report(of: watch) { _ = try? PrivateFile.replace(path, with: [1]) }
        #expect(delay < .milliseconds(100))
        // The temporary file may be reported first, alone.
        let all = names.contains(path) ? names : watch.wait(timeout: .seconds(1))
        #expect(all.contains(path))
    }

    @Test func writingInPlaceRemovingAndRenamingAreReported() {
        folder.put("store", "1")
        let watch = DirectoryWatch([folder.path])
        #expect(watch.wait(timeout: .zero) == [])
        folder.put("store", "2")
        #expect(watch.wait(timeout: .seconds(1)) == [folder("store")])
        rename(folder("store"), folder("moved"))
        #expect(watch.wait(timeout: .seconds(1)) == [folder("store"), folder("moved")])
        unlink(folder("moved"))
        #expect(watch.wait(timeout: .seconds(1)) == [folder("moved")])
        #expect(watch.wait(timeout: .milliseconds(20)) == [])
    }

    @Test func severalDirectoriesAreToldApart() {
        mkdir(folder("a"), 0o700)
        mkdir(folder("b"), 0o700)
        let watch = DirectoryWatch([folder("a")])
        watch.add(folder("b"))
        watch.add(folder("b"))
        folder.put("b/store", "1")
        #expect(watch.wait(timeout: .seconds(1)) == [folder("b/store")])
    }

    @Test func aDirectoryThatComesGoesAndComesAgainIsFollowed() {
        let watch = DirectoryWatch([folder("late")])
        #expect(watch.isPolling)
        mkdir(folder("late"), 0o700)
        folder.put("late/store", "1")
        #expect(watch.wait(timeout: .seconds(5)) == [folder("late/store")])
        #expect(!watch.isPolling)
        unlink(folder("late/store"))
        #expect(watch.wait(timeout: .seconds(5)) == [folder("late/store")])
        rmdir(folder("late"))
        _ = watch.wait(timeout: .milliseconds(10))
        #expect(watch.isPolling)
        mkdir(folder("late"), 0o700)
        folder.put("late/store", "2")
        #expect(watch.wait(timeout: .seconds(5)) == [folder("late/store")])
    }

    @Test func withoutInotifyChangesAreSeenWithinASecondOrTwo() {
        folder.put("store", "1")
        let path = folder("store")
        let watch = DirectoryWatch([folder.path], inotify: nil)
        #expect(watch.isPolling && watch.descriptor == -1)
        let (names, delay) = report(of: watch) { _ = try? PrivateFile.replace(path, with: [2, 2]) }
        #expect(names.contains(path))
        #expect(delay < .seconds(2))
    }

    @Test func aLocalDirectoryIsNoNetworkFileSystem() {
        #expect(!FileSystem.isNetwork("/proc"))
        #expect(!FileSystem.isNetwork(folder("none")))
    }
}
