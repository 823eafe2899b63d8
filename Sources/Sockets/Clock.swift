internal import CLinux
internal import Glibc

/// The two clocks, in milliseconds. Logic takes times as arguments; only loops and edges read a clock.
public enum Clock {
    /// Since boot; never steps. For deadlines. CLOCK_MONOTONIC_COARSE is precise to a tick (1-4 ms) and costs no system call.
    public static func monotonic() -> Int64 { kb_clock_milliseconds(CLOCK_MONOTONIC_COARSE) }
    /// Since 1970. For expiries, which come from outside. Steps when the clock is set.
    public static func wall() -> Int64 { kb_clock_milliseconds(CLOCK_REALTIME) }
}

/// Waiting, on threads that are not loops.
public enum Pause {
    /// Sleeps for so long.
    public static func milliseconds(_ count: Int32) { usleep(UInt32(max(0, count)) * 1000) }
}
