import HTTP

/// A chunked body is the same however it is cut, and its runs lie inside what was fed.
enum ChunkRules {
    private struct Body: Equatable {
        var data: [UInt8] = []
        var trailers: [UInt8] = []
        var used = 0
        var end = End.starved
    }
    private enum End: Equatable { case starved, done, malformed(Rejection) }

    static func check(_ input: [UInt8]) {
        let whole = read(input, [0..<input.count])
        demand(read(input, cuts(input)) == whole, "cuts do not matter")
        demand(read(input, input.indices.map { $0..<$0 + 1 }) == whole, "not even between all bytes")
        guard whole.end == .done else { return }
        demand(whole.data.count < whole.used, "framing takes room")
    }

    private static func read(_ input: [UInt8], _ pieces: [Range<Int>]) -> Body {
        var decoder = ChunkDecoder()
        var body = Body()
        for piece in pieces where body.end == .starved { feed(Array(input[piece]), startingAt: piece.lowerBound, &decoder, &body) }
        return body
    }

    private static func feed(_ bytes: [UInt8], startingAt start: Int, _ decoder: inout ChunkDecoder, _ body: inout Body) {
        var at = 0
        while true {
            switch bytes.withUnsafeBytes({ decoder.next($0, from: at) }) {
            case .data(let start, let count, let next):
                demand(start >= at && count > 0 && next == start + count && next <= bytes.count, "a run lies inside")
                body.data += bytes[start..<next]
                at = next
            case .trailers(let start, let count, let next):
                demand(start >= at && start + count <= bytes.count, "a run lies inside")
                body.trailers += bytes[start..<start + count]
                at = next
            case .starved: return
            case .done(let next):
                body.used = start + next
                body.end = .done
                return
            case .malformed(let rejection):
                // Trailers are worth something only in a body that is whole.
                body.trailers = []
                body.end = .malformed(rejection)
                return
            }
        }
    }
}
