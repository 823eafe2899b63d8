internal import Glibc
internal import Sockets
internal import Synchronization

/// How many of the server's threads still run, and a way to wait for the last one.
final class RunningThreads: Sendable {
    private let count = Atomic(0)
    private let ended = Mailbox<Void>()

    /// Says once that a thread has ended.
    struct Mark: Sendable {
        fileprivate let threads: RunningThreads
        func end() {
            threads.count.subtract(1, ordering: .acquiringAndReleasing)
            threads.ended.post(())
        }
    }

    func begin() -> Mark {
        count.add(1, ordering: .acquiringAndReleasing)
        return Mark(threads: self)
    }

    /// Waits until none runs; false when the time was over first.
    func wait(milliseconds: Int64) -> Bool {
        let poller = Poller()
        poller.add(ended.descriptor, .read)
        let deadline = Clock.monotonic() + milliseconds
        while count.load(ordering: .acquiring) > 0 {
            let left = deadline - Clock.monotonic()
            guard left > 0 else { return false }
            _ = poller.wait(milliseconds: Int32(clamping: left))
            _ = ended.collect()
        }
        return true
    }
}
