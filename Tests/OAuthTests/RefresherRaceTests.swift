import Credentials
import Files
import Glibc
import Synchronization
import Testing

@testable import OAuth

@Suite struct RefresherRaceTests {
    @Test func anyNumberOfRefreshersSendOneRequest() async throws {
        let scene = RefreshScene()
        let slow = RotatingProvider(refresh: "refresh-0", delay: .milliseconds(300))
        let outcomes = Mutex<[String]>([])
        let threads = (0..<12).map { _ in
            TestThread {
                // Every refresher is one process's: they meet in the files only.
                let outcome = scene.refresher(transport: slow).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
                outcomes.withLock { $0.append(outcome.name) }
            }
        }
        for thread in threads { thread.join() }
        #expect(slow.posts == 1)
        #expect(outcomes.withLock { $0.sorted() } == Array(repeating: "adopted", count: 11) + ["refreshed"])
    }

    @Test func aWaiterLeavesAsSoonAsTheStoreHoldsANewerToken() throws {
        let scene = RefreshScene()
        let lane = try scene.lane
        // Someone holds the lane and does not let go: a stopped process.
        mkdir(scene.path + "/keybearer", 0o700)
        mkdir(scene.store.locksDirectory, 0o700)
        let holder = open(scene.store.lockPath(of: lane), O_RDWR | O_CREAT, 0o600)
        flock(holder, LOCK_EX)
        defer { close(holder) }
        let result = Mutex<(String, Duration)?>(nil)
        let start = ContinuousClock.now
        let thread = TestThread {
            let outcome = scene.refresh()
            result.withLock { $0 = (outcome.name, ContinuousClock.now - start) }
        }
        usleep(200_000)
        #expect(result.withLock { $0 == nil }, "it waits")
        scene.login(access: "fresh", refresh: "fresh-r", expires: RefreshScene.start + 1_000_000)
        thread.join()
        let (name, elapsed) = try #require(result.withLock { $0 })
        #expect(name == "adopted")
        #expect(elapsed < .seconds(2))
        #expect(scene.provider.posts == 0)
    }

    @Test func siblingsOfOneClientStartAtLeastAQuarterSecondApart() throws {
        let scene = RefreshScene()
        let starts = Mutex<[ContinuousClock.Instant]>([])
        let lanes = (0..<4).map { number in
            let profile = Profile(id: "p:\(number)", provider: "p", kind: .oauth, secret: nil, accountID: "acc-\(number)")
            return Lane(client: scene.client, profile: profile, agentID: "main")
        }
        let threads = lanes.map { lane in
            TestThread {
                StartSpacing.waitForTurn(in: lane, of: scene.store, clock: .system)
                starts.withLock { $0.append(ContinuousClock.now) }
            }
        }
        for thread in threads { thread.join() }
        let sorted = starts.withLock { $0.sorted() }
        // The moment is noted in whole ms, and a start is seen a little after it.
        for (earlier, later) in zip(sorted, sorted.dropFirst()) { #expect(later - earlier > .milliseconds(225)) }
    }

    @Test func ofOneProcessEachSleepsUntilItsTurn() {
        let now = ContinuousClock.now
        let turns = (0..<4).map { _ in StartSpacing.queue(for: "a", now: now) }
        #expect(turns == [.zero, .milliseconds(250), .milliseconds(500), .milliseconds(750)])
        #expect(StartSpacing.queue(for: "b", now: now) == .zero, "another client's")
        #expect(StartSpacing.queue(for: "a", now: now + .milliseconds(900)) == .milliseconds(100))
        #expect(StartSpacing.queue(for: "a", now: now + .seconds(10)) == .zero)
    }

    @Test func nobodyQueuesForLongerThanItsPatience() {
        let now = ContinuousClock.now
        let turns = (0..<40).map { _ in StartSpacing.queue(for: "patience", now: now) }
        #expect(turns.max() == StartSpacing.patience)
        #expect(turns.filter { $0 < StartSpacing.patience }.count == 20)
    }

    @Test(arguments: [(0, 1_000_000, 0), (1000, 1100, 150), (1000, 1250, 0), (5000, 1000, 250)] as [(Int64, Int64, Int64)])
    func thePauseIsNeverLongerThanTheDistance(last: Int64, now: Int64, pause: Int64) {
        #expect(StartSpacing.pause(since: last, now: now) == pause)
    }

    @Test func aBrokenPipeOfOurOwnEndsNobody() {
        let thread = TestThread {
            var ends: (Int32, Int32) = (0, 0)
            withUnsafeMutablePointer(to: &ends) { _ = $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) } }
            close(ends.0)
            SignalShield.during {
                var byte: UInt8 = 0
                #expect(write(ends.1, &byte, 1) == -1)
            }
            close(ends.1)
        }
        thread.join()
    }

    @Test func signalsWaitUntilTheTokenIsStored() throws {
        let seen = Mutex<[Bool]>([])
        let thread = TestThread {
            var before = sigset_t()
            var during = sigset_t()
            var after = sigset_t()
            pthread_sigmask(SIG_SETMASK, nil, &before)
            SignalShield.during { _ = pthread_sigmask(SIG_SETMASK, nil, &during) }
            pthread_sigmask(SIG_SETMASK, nil, &after)
            let blocked = [sigismember(&during, SIGINT), sigismember(&during, SIGTERM), sigismember(&during, SIGHUP)].map { $0 == 1 }
            seen.withLock {
                $0 = blocked + [sigismember(&after, SIGINT) == sigismember(&before, SIGINT), sigismember(&during, SIGSEGV) == 0]
            }
        }
        thread.join()
        #expect(seen.withLock { $0 } == [true, true, true, true, true])
    }
}

/// A real thread: refreshes block, and Swift's own pool has as few threads as cores.
final class TestThread: Sendable {
    private let handle: Mutex<pthread_t>

    init(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Box(body)).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, context)
        handle = Mutex(thread)
    }

    func detach() { handle.withLock { _ = pthread_detach($0) } }

    func join() { handle.withLock { _ = pthread_join($0, nil) } }
}
