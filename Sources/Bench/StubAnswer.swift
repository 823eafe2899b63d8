/// An answer of the stub upstream that is under way.
struct StubAnswer {
    let connection: Int32
    /// HTTP/2's number of it; 0 in HTTP/1.1.
    let stream: Int32
    /// Tells it from those that had its slot before.
    let serial: UInt32
    let request: StubRequest
    /// Events or bytes sent; an event counts once it is begun.
    var sent = 0
    /// Events that may be begun now.
    var available: Int
    /// The event that is being sent, as far as the peer's window allows.
    var event = InlineArray<192, UInt8>(repeating: 0)
    var eventCount = 0
    var eventTaken = 0

    init(_ request: StubRequest, connection: Int32, stream: Int32, serial: UInt32) {
        self.request = request
        self.connection = connection
        self.stream = stream
        self.serial = serial
        available = request.kind == .events ? request.eventsAtOnce : 0
    }

    /// All has been sent.
    var isComplete: Bool { sent == request.count && eventTaken == eventCount }
    /// The event to be begun next is the last.
    var isAtLastEvent: Bool { sent == request.count - 1 }
}
