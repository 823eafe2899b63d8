internal import CLinux
internal import Glibc
internal import Synchronization

/// Messages from any thread to the one that owns a loop, with a descriptor that becomes readable when there are some.
public final class Mailbox<Message: Sendable>: Sendable {
    private let waiting = Mutex<[Message]>([])
    private let bell: Descriptor

    /// An empty mailbox.
    public init() {
        bell = Descriptor(owning: eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)))
        precondition(bell.number >= 0, "eventfd failed: no descriptor left at start")
    }

    /// To be watched for reading by the owner's poller.
    public var descriptor: Int32 { bell.number }

    /// Adds a message; rings only when the box was empty, since one ring wakes the owner for all that wait.
    public func post(_ message: Message) {
        let first = waiting.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if first { ring() }
    }

    /// All messages, in the order they came. Called by the owner.
    public func collect() -> [Message] {
        var count: UInt64 = 0
        _ = unsafe read(bell.number, &count, 8)
        return waiting.withLock { messages in
            let all = messages
            messages = []
            return all
        }
    }

    private func ring() {
        var one: UInt64 = 1
        _ = unsafe write(bell.number, &one, 8)
    }
}
