internal import Sockets
internal import Synchronization

/// Targets that several threads take in turn, and what became of them.
final class ProbeQueue: Sendable {
    private struct Contents {
        var next = 0
        var running: [Int] = []
        var results: [ProbeResult?]
        var isStopped = false
        /// Threads that have not ended.
        var threads = 0
    }

    private let targets: [ProbeTarget]
    private let contents: Mutex<Contents>

    init(_ targets: [ProbeTarget]) {
        self.targets = targets
        contents = Mutex(Contents(results: Array(repeating: nil, count: targets.count)))
    }

    /// Has every target tried by one of `threads` threads; returns when all are done or `isWanted`, which is asked 50 times a second
    /// with the first of those under way, has said no and those have ended.
    ///
    /// - Returns: in the order of the targets; those that nobody came to are missing.
    func run(
        threads: Int, isWanted: (ProbeTarget?) -> Bool, probe: @escaping @Sendable (ProbeTarget, @escaping () -> Bool) -> ProbeResult
    ) -> [ProbeResult] {
        let count = min(threads, targets.count)
        contents.withLock { $0.threads = count }
        for _ in 0..<count {
            Thread(name: "kb-probe", stackSize: 512 << 10) { [self] in
                while let place = take() { put(probe(targets[place]) { [self] in !isStopped }, at: place) }
                contents.withLock { $0.threads -= 1 }
            }.detach()
        }
        while contents.withLock({ $0.threads > 0 }) {
            Pause.milliseconds(20)
            if !isWanted(current) { stop() }
        }
        return contents.withLock { $0.results.compactMap { $0 } }
    }

    private var isStopped: Bool { contents.withLock { $0.isStopped } }
    private var current: ProbeTarget? { contents.withLock { $0.running.first }.map { targets[$0] } }

    private func stop() { contents.withLock { $0.isStopped = true } }

    private func take() -> Int? {
        contents.withLock { contents in
            guard !contents.isStopped, contents.next < targets.count else { return nil }
            defer { contents.next += 1 }
            contents.running.append(contents.next)
            return contents.next
        }
    }

    private func put(_ result: ProbeResult, at place: Int) {
        contents.withLock { contents in
            contents.running.removeAll { $0 == place }
            contents.results[place] = result
        }
    }
}
