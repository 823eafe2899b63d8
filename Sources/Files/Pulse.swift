internal import Glibc
internal import Synchronization

/// Calls functions again and again on one thread of its own, which lives only while there are any: the heartbeats of locks that another
/// program takes for abandoned when they are not renewed.
public final class Pulse: Sendable {
    /// The process's.
    public static let shared = Pulse()

    private struct Beat {
        let interval: Duration
        var due: ContinuousClock.Instant
        /// Returns false when it need not be called again.
        let body: @Sendable () -> Bool
    }
    private struct State {
        var beats: [Int: Beat] = [:]
        var lastNumber = 0
        var isRunning = false
    }
    private let state = Mutex(State())
    /// How often the thread looks whether something is due.
    private static let tick = Duration.milliseconds(250)

    /// Calls `body` every `interval` until it returns false or ``stop(_:)`` is called with the number that is returned.
    public func start(every interval: Duration, _ body: @escaping @Sendable () -> Bool) -> Int {
        let (number, isFirst) = state.withLock { state in
            state.lastNumber += 1
            state.beats[state.lastNumber] = Beat(interval: interval, due: .now + interval, body: body)
            defer { state.isRunning = true }
            return (state.lastNumber, !state.isRunning)
        }
        if isFirst { startThread() }
        return number
    }

    /// Calls the function of this number no more. One call may still be under way.
    public func stop(_ number: Int) {
        state.withLock { _ = $0.beats.removeValue(forKey: number) }
    }

    private func startThread() {
        // Signals are for the threads that expect them.
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Pulse>.fromOpaque(argument.unsafelyUnwrapped).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "pthread_create failed: \(code)")
        pthread_detach(thread)
    }

    private func run() {
        while true {
            System.sleep(Self.tick)
            guard let due = dueBeats() else { return }
            // Outside of the lock: a beat touches files, and its owner may be stopping it right now.
            for (number, body) in due where !body() { stop(number) }
        }
    }

    /// What is due now; nil, and the thread ends, when there is nothing to call any more.
    private func dueBeats() -> [(Int, @Sendable () -> Bool)]? {
        state.withLock { state in
            guard !state.beats.isEmpty else {
                state.isRunning = false
                return nil
            }
            let now = ContinuousClock.now
            var due: [(Int, @Sendable () -> Bool)] = []
            for (number, beat) in state.beats where beat.due <= now {
                due.append((number, beat.body))
                state.beats[number]?.due = now + beat.interval
            }
            return due
        }
    }
}
