internal import HTTP
internal import Sockets

/// What a stream of an HTTP/2 connection has that a connection of its own has in its socket. Client's and provider's side alike.
struct StreamState: ~Copyable {
    /// The connection's descriptor; -1: this is no stream.
    let carrier: Int32
    /// HTTP/2's number.
    var number: Int32
    /// Bytes received, and not given back to the peer's window yet.
    var uncredited = 0
    /// Bytes given back so far; the window was made wider.
    var credited = 0
    var isWide = false
    /// The peer has ended its message.
    var peerHasEnded = false
    /// What waits to be sent is the last of the body.
    var ends = false
    /// All of it has been framed.
    var hasEnded = false
    /// It follows the body.
    var trailers: ByteQueue
    /// nghttp2 has let go of it.
    var isClosed = false

    /// Frames the bytes of a body, as far as the peer's windows and `room` go; answers how many those were.
    mutating func pour(_ bytes: UnsafeRawBufferPointer, into session: HTTP2Session, slot: Int32, room: Int) -> Int {
        let lent = max(0, min(bytes.count, room))
        let isLast = ends && lent == bytes.count
        guard !hasEnded, !isClosed, lent > 0 || isLast else { return 0 }
        let taken = unsafe session.send(
            UnsafeRawBufferPointer(rebasing: bytes[..<lent]), stream: number, slot: slot, ends: isLast, hasTrailers: !trailers.isEmpty)
        if session.endWasSent {
            hasEnded = true
            if !trailers.isEmpty { unsafe session.trail(trailers.mutableBytes, stream: number) }
            trailers.release()
        }
        return taken
    }
}

extension StreamState {
    /// Frames what waits.
    mutating func pour(_ outbound: inout ByteQueue, into session: HTTP2Session, slot: Int32, room: Int) -> Int {
        let taken = unsafe pour(outbound.bytes, into: session, slot: slot, room: room)
        outbound.consume(taken)
        return taken
    }
}

/// Numbers of streams' slots: they begin where descriptors end, and are used again.
struct StreamNumbers {
    private var free: [Int32] = []
    private var next = Int32(Worker.slots)

    /// Nil when there are as many streams as there can be.
    mutating func take() -> Int32? {
        if let number = free.popLast() { return number }
        guard next < Worker.slots + Worker.streams else { return nil }
        next += 1
        return next - 1
    }
    mutating func give(_ number: Int32) { free.append(number) }
}
