internal import Sockets

/// Work that may have to wait for another process: the wait shows itself once it has lasted for half a second.
enum Waiting {
    /// For changes of the store: a refresh of the profile may be under way, or a neighbour may hold the lock.
    static let store = "Waiting for another process that is using the credentials"

    private static let patience = Duration.milliseconds(500)

    /// Does `body`, and says `what` it waits for while it does not return.
    static func show<Answer: ~Copyable, Problem: Error>(_ what: String, _ body: () throws(Problem) -> Answer) throws(Problem) -> Answer {
        let (answered, cleared) = (Latch(), Latch())
        Thread(name: "kb-progress") {
            var progress = LoginProgress()
            let start = ContinuousClock.now
            while !answered.isRaised {
                Pause.milliseconds(20)
                let passed = ContinuousClock.now - start
                if passed > patience { progress.show(what, seconds: Int(passed.components.seconds)) }
            }
            progress.clear()
            cleared.raise()
        }.detach()
        defer {
            answered.raise()
            // The line is taken away before anything else is written.
            while !cleared.isRaised { Pause.milliseconds(1) }
        }
        return try body()
    }
}
