internal import HTTP
internal import Sockets

/// Where the relay of one body stands: which bytes belong to it, and when it is whole.
struct MessageBody: ~Copyable {
    private(set) var framing = BodyFraming.none
    /// Bytes still to come of a body whose length is known.
    private(set) var remaining = 0
    /// While a chunked body is read.
    private var decoder: Pooled<ChunkDecoder>
    private(set) var isComplete = true
    /// Body bytes seen so far, without chunk framing.
    private(set) var byteCount = 0

    init(pool: BufferPool) { decoder = Pooled(pool: pool) }

    /// What one step through received bytes came to.
    enum Step {
        /// Body bytes at `start..<start+count`; go on at `next`.
        case data(start: Int, count: Int, next: Int)
        /// A part of the trailer section at `start..<start+count`; go on at `next`.
        case trailers(start: Int, count: Int, next: Int)
        /// The body ended before `next`.
        case ended(next: Int)
        /// All bytes were used.
        case starved
        /// The framing is broken.
        case broken(Rejection)
    }

    mutating func begin(_ framing: BodyFraming) {
        self.framing = framing
        isComplete = !framing.mayHaveBytes
        if case .length(let count) = framing { remaining = count } else { remaining = 0 }
        if framing == .chunked { decoder.hold(ChunkDecoder()) } else { decoder.release() }
        byteCount = 0
    }
    /// Forgets a body, whole or not.
    mutating func clear() { begin(.none) }

    /// The next run of body bytes in `bytes` from `start` on.
    @inline(__always)
    mutating func next(_ bytes: RawSpan, from start: Int) -> Step {
        if isComplete { return .ended(next: start) }
        guard start < bytes.byteCount else { return .starved }
        switch framing {
        case .none: return .ended(next: start)
        case .length:
            let count = min(remaining, bytes.byteCount - start)
            remaining -= count
            byteCount += count
            isComplete = remaining == 0
            return .data(start: start, count: count, next: start + count)
        case .untilClose:
            byteCount += bytes.byteCount - start
            return .data(start: start, count: bytes.byteCount - start, next: bytes.byteCount)
        case .chunked: return nextChunk(bytes, from: start)
        }
    }

    private mutating func nextChunk(_ bytes: RawSpan, from start: Int) -> Step {
        switch unsafe bytes.withUnsafeBytes({ unsafe decoder.value.next($0, from: start) }) {
        case .data(let at, let count, let next):
            byteCount += count
            return .data(start: at, count: count, next: next)
        case .trailers(let at, let count, let next):
            if decoder.value.isDone { complete() }
            return .trailers(start: at, count: count, next: next)
        case .starved: return .starved
        case .done(let next):
            complete()
            return .ended(next: next)
        case .malformed(let rejection): return .broken(rejection)
        }
    }

    private mutating func complete() {
        isComplete = true
        decoder.release()
    }

    /// The connection ended in an orderly way: that completes a body which nothing else delimits.
    mutating func endedWithConnection() { if framing == .untilClose { isComplete = true } }
}
