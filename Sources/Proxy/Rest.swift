internal import HTTP
internal import Sockets
internal import Synchronization
internal import TLS

/// How many workers have something to look after. When none has, what the whole process holds without need can go back to the system.
final class Awake: Sendable {
    private let count: Atomic<Int>
    private let whenNone: (@Sendable () -> Void)?

    /// All `workers` are awake at first. `whenNone`: called by the last one that goes to rest, on its thread.
    init(workers: Int, whenNone: (@Sendable () -> Void)?) {
        count = Atomic(workers)
        self.whenNone = whenNone
    }
    func restBegins() { if count.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { whenNone?() } }
    func restEnds() { count.add(1, ordering: .acquiringAndReleasing) }
    /// Something was done that is no worker's: while they rest, nothing else gives back what that has taken.
    func didOtherWork() { if count.load(ordering: .acquiring) == 0 { whenNone?() } }
}

// MARK: - A worker with nobody connected

extension Worker {
    /// So long nothing happens before a worker that has no connection rests.
    private static var restAfterMilliseconds: Int32 { 1_000 }

    /// No connection is open, to a client or to a provider, and nothing is to be written.
    var hasNothingToDo: Bool { downstreams.count == 0 && carriers.count == 0 && upstreams.count == 0 && access.isEmpty }

    /// Waits for the next events where no deadline can be missed. Answers how many there are.
    mutating func rest() -> Int {
        let count = poller.wait(milliseconds: Self.restAfterMilliseconds)
        if count > 0 { return count }
        trim()
        shared.awake.restBegins()
        defer { shared.awake.restEnds() }
        return poller.wait(milliseconds: -1)
    }

    /// Gives back what those who were connected have left.
    private mutating func trim() {
        if freeExchanges.count == exchanges.count, racing.isEmpty {
            for id in freeExchanges { exchanges.remove(at: id) }
            freeExchanges = []
            exchanges.trim()
        }
        downstreams.trim()
        upstreams.trim()
        carriers.trim()
        scratch.trim()
        TLSMemory.trim()
        pool.trim()
    }
}
