internal import Glibc
internal import HTTP
internal import Sockets

// MARK: - HTTP/1.1: one request after the other

extension Upstream {
    mutating func feedHTTP1(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        if connections[fd].inbound.isEmpty, connections[fd].answer < 0 {
            let used = unsafe read(fd, bytes)
            return unsafe connections[fd].inbound.append(UnsafeRawBufferPointer(rebasing: bytes[used...]))
        }
        unsafe connections[fd].inbound.append(bytes)
        readOn(fd)
    }

    /// Goes on with what came while an answer was under way.
    private mutating func readOn(_ fd: Int32) {
        guard connections[fd].answer < 0, !connections[fd].inbound.isEmpty else { return }
        let used = unsafe read(fd, connections[fd].inbound.bytes)
        connections[fd].inbound.consume(used)
    }

    /// Reads requests until one has an answer that takes a while; how many bytes have been used.
    private mutating func read(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        var at = 0
        while at < bytes.count, connections[fd].answer < 0, !connections[fd].isGone {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[at...])
            switch connections[fd].body {
            case .none:
                let count = unsafe readHead(fd, rest)
                guard count > 0 else { return at }
                at += count
            case .length(let left):
                let count = min(left, rest.count)
                at += count
                connections[fd].body = .length(left - count)
                if left == count { respondHTTP1(fd) }
            case .chunked: at += unsafe readChunk(fd, rest)
            }
        }
        return at
    }

    /// The head's size, or 0 when it is not complete.
    private mutating func readHead(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard case .complete(let count) = unsafe connections[fd].head.parse(bytes, limits: HeadLimits()) else {
            if bytes.count >= HeadLimits().byteCount { connections[fd].isGone = true }
            return 0
        }
        connections[fd].request = unsafe Self.judge(connections[fd].head, bytes, authorization, account)
        switch connections[fd].head.framing {
        case .length(let length) where length > 0: connections[fd].body = .length(length)
        case .chunked:
            connections[fd].body = .chunked
            connections[fd].chunks = ChunkDecoder()
        case .none, .length, .untilClose: respondHTTP1(fd)
        }
        return count
    }

    private mutating func readChunk(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        switch unsafe connections[fd].chunks.next(bytes) {
        case .data(_, _, let next), .trailers(_, _, let next): return next
        case .starved: return bytes.count
        case .done(let next):
            respondHTTP1(fd)
            return next
        case .malformed:
            connections[fd].isGone = true
            return bytes.count
        }
    }

    /// What the stub does with a request, by its head: 403 with a client's own key, 401 without the credential that was to be put on.
    static func judge(_ head: borrowing RequestHead, _ bytes: UnsafeRawBufferPointer, _ authorization: [UInt8]?, _ account: [UInt8]?)
        -> StubRequest
    {
        guard !head.contains(.xAPIKey) else { return StubRequest(refusing: 403) }
        guard unsafe says(authorization, in: .authorization, head, bytes), unsafe says(account, in: .chatgptAccountID, head, bytes) else {
            return StubRequest(refusing: 401)
        }
        return unsafe StubRequest(UnsafeRawBufferPointer(rebasing: bytes[head.target]))
    }

    /// Whether the field is there once, with that value; true where none is expected.
    private static func says(
        _ expected: [UInt8]?, in name: FieldName, _ head: borrowing RequestHead, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        guard let expected else { return true }
        guard let line = head.first(name), !head.containsTwice(name), line.valueRange.count == expected.count else { return false }
        return unsafe bytes[line.valueRange].elementsEqual(expected)
    }

    // MARK: Answers

    private mutating func respondHTTP1(_ fd: Int32) {
        connections[fd].body = .none
        let request = connections[fd].request
        if request.kind == .json { return unsafe connections[fd].write(UnsafeRawBufferPointer(content.jsonAnswer)) }
        unsafe connections[fd].write(UnsafeRawBufferPointer(content.head(of: request)))
        let slot = begin(request, connection: fd, stream: 0)
        connections[fd].answer = slot
        pace(slot)
        pumpHTTP1(fd)
    }

    /// An answer that waited goes on, and the requests behind it.
    mutating func goOnHTTP1(_ fd: Int32) {
        pumpHTTP1(fd)
        readOn(fd)
    }

    /// Says as much of the answer under way as there is room for.
    private mutating func pumpHTTP1(_ fd: Int32) {
        let slot = connections[fd].answer
        guard slot >= 0 else { return }
        while !answers[slot].isComplete, !connections[fd].isGone {
            guard connections[fd].waiting < StubConnection.heldBytes else {
                connections[fd].holdsAnswers = true
                return
            }
            if answers[slot].request.kind == .events {
                guard answers[slot].available > 0 else { return }
                writeEventChunk(fd, slot)
            } else {
                let piece = unsafe content.piece(of: answers[slot].request, after: answers[slot].sent)
                answers[slot].sent += piece.count
                unsafe connections[fd].write(piece)
            }
        }
        connections[fd].answer = -1
        end(slot)
    }

    /// One event is one chunk, and one TLS record; the chunk that ends the body is in the last one's.
    private mutating func writeEventChunk(_ fd: Int32, _ slot: Int32) {
        let isLast = answers[slot].isAtLastEvent
        unsafe withUnsafeTemporaryAllocation(byteCount: EventText.capacity + 32, alignment: 1) { room in
            let base = unsafe room.baseAddress.unsafelyUnwrapped
            let count = unsafe EventText.write(isLast: isLast, at: Monotonic.now, to: base + Numbers.chunkSizeCapacity)
            let start = unsafe Numbers.writeChunkSize(count, to: base)
            unsafe memmove(base + start, base + Numbers.chunkSizeCapacity, count)
            let end: StaticString = isLast ? "\r\n0\r\n\r\n" : "\r\n"
            unsafe memcpy(base + start + count, end.utf8Start, end.utf8CodeUnitCount)
            unsafe connections[fd].write(UnsafeRawBufferPointer(start: base, count: start + count + end.utf8CodeUnitCount))
        }
        answers[slot].sent += 1
        answers[slot].available -= 1
    }
}
