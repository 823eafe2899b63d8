import HTTP

/// All requests that a byte stream holds, read as a server reads them: head, body, next head.
struct Conversation: Equatable {
    enum End: Equatable { case complete, incomplete, rejected(Rejection) }
    var targets: [String] = []
    var bodies: [[UInt8]] = []
    var end = End.complete

    /// Feeds `bytes` in pieces that end at `cuts`.
    init(_ bytes: [UInt8], cutAt cuts: [Int] = []) {
        var reader = Reader()
        var start = 0
        for cut in cuts + [bytes.count] {
            reader.feed(bytes[start..<cut], into: &self)
            start = cut
            if case .rejected = end { return }
        }
        // A stray empty line behind the last message is no message begun.
        end = reader.isBetweenMessages ? .complete : .incomplete
    }

    private struct Reader: ~Copyable {
        private var head = RequestHead()
        private var decoder = ChunkDecoder()
        /// Nil between bodies.
        private var framing: BodyFraming?
        private var left = 0
        private var buffer: [UInt8] = []

        var isBetweenMessages: Bool { framing == nil && (buffer.isEmpty || buffer == [13] || buffer == [13, 10]) }

        mutating func feed(_ piece: ArraySlice<UInt8>, into log: inout Conversation) {
            buffer += piece
            while true {
                switch framing {
                case nil:
                    let outcome = buffer.withUnsafeBytes { head.parse($0, limits: HeadLimits()) }
                    guard case .complete(let count) = outcome else {
                        if case .rejected(let rejection) = outcome { log.end = .rejected(rejection) }
                        return
                    }
                    log.targets.append(text(buffer, head.target))
                    log.bodies.append([])
                    framing = head.framing
                    if case .length(let length) = head.framing { left = length }
                    decoder = ChunkDecoder()
                    buffer.removeFirst(count)
                case .chunked:
                    guard readChunks(into: &log) else { return }
                case .some:
                    let run = min(left, buffer.count)
                    log.bodies[log.bodies.count - 1] += buffer[..<run]
                    buffer.removeFirst(run)
                    left -= run
                    guard left == 0 else { return }
                    framing = nil
                }
            }
        }

        /// False when the body is not complete.
        private mutating func readChunks(into log: inout Conversation) -> Bool {
            var at = 0
            while true {
                switch buffer.withUnsafeBytes({ decoder.next($0, from: at) }) {
                case .data(let start, let count, let next):
                    log.bodies[log.bodies.count - 1] += buffer[start..<start + count]
                    at = next
                case .trailers(_, _, let next): at = next
                case .starved:
                    buffer.removeAll()
                    return false
                case .done(let next):
                    buffer.removeFirst(next)
                    framing = nil
                    return true
                case .malformed(let rejection):
                    log.end = .rejected(rejection)
                    return false
                }
            }
        }
    }
}
