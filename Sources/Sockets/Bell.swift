internal import CLinux
internal import Glibc

/// Wakes a thread that waits in its poller: a descriptor that is readable from a ring until it is silenced. Allocates nothing.
public final class Bell: Sendable {
    private let event: Descriptor

    /// A bell that has not rung.
    public init() {
        event = Descriptor(owning: eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)))
        precondition(event.number >= 0, "eventfd failed: no descriptor left at start")
    }

    /// To be watched for reading.
    public var descriptor: Int32 { event.number }

    /// From any thread.
    public func ring() {
        var one: UInt64 = 1
        _ = unsafe write(event.number, &one, 8)
    }

    /// By the one that was woken, before it looks at what there is: a ring from then on wakes it again.
    public func silence() {
        var count: UInt64 = 0
        _ = unsafe read(event.number, &count, 8)
    }
}
