internal import CLinux
internal import Glibc
internal import Sockets

/// The clock that everything here is measured by.
enum Monotonic {
    /// Nanoseconds since boot.
    @inline(__always)
    static var now: Int64 { kb_clock_nanoseconds(CLOCK_MONOTONIC) }
    /// Nanoseconds in a second.
    static var second: Int64 { 1_000_000_000 }
}

/// A timer that a poller can watch: finer than epoll's own milliseconds.
struct Ticker: ~Copyable {
    private let timer: Descriptor

    /// A ticker that stands still.
    init() {
        timer = Descriptor(owning: kb_timer())
        precondition(timer.number >= 0, "timerfd_create failed: no descriptor left at start")
    }

    /// To be watched for reading.
    var descriptor: Int32 { timer.number }

    /// Ticks every `nanoseconds`, for the first time at `first` (`Monotonic.now`).
    borrowing func start(every nanoseconds: Int64, first: Int64) { _ = kb_timer_set(timer.number, first, max(1, nanoseconds)) }
    /// Stands still.
    borrowing func stop() { _ = kb_timer_set(timer.number, 0, 0) }

    /// Ticks since it was asked last.
    borrowing func take() -> Int {
        var count: UInt64 = 0
        return unsafe read(timer.number, &count, 8) == 8 ? Int(clamping: count) : 0
    }
}
