internal import Synchronization

/// Messages from any thread to the one that owns a loop, with a descriptor that becomes readable when there are some.
public final class Mailbox<Message: Sendable>: Sendable {
    private let waiting = Mutex<[Message]>([])
    private let bell = Bell()

    /// An empty mailbox.
    public init() {}

    /// To be watched for reading by the owner's poller.
    public var descriptor: Int32 { bell.descriptor }

    /// Adds a message; rings only when the box was empty, since one ring wakes the owner for all that wait.
    public func post(_ message: Message) {
        let first = waiting.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if first { bell.ring() }
    }

    /// All messages, in the order they came. Called by the owner.
    public func collect() -> [Message] {
        bell.silence()
        return waiting.withLock { messages in
            let all = messages
            messages = []
            return all
        }
    }
}
