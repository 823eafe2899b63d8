internal import HTTP
internal import Sockets
internal import TLS

// MARK: - HTTP/1.1: a connection is a unit

extension Load {
    /// Sends what is left of the request under way; false when the kernel takes no more now.
    mutating func writeHTTP1(_ fd: Int32) -> Bool {
        let unit = connections[fd].firstUnit
        guard connections[fd].stage == .open, units[unit].isBusy else { return true }
        while units[unit].sent < headCount + plan.bodySize {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: message[units[unit].sent...])
            let isPlain = connections[fd].tls == nil
            let count = isPlain ? unsafe connections[fd].moved(connections[fd].socket.send(rest)) : unsafe seal(fd, rest)
            guard count > 0 else { return false }
            units[unit].sent += count
        }
        if connections[fd].tls != nil { connections[fd].flush() }
        return connections[fd].waiting == 0
    }

    /// Puts a piece into records, as long as not too many wait.
    private mutating func seal(_ fd: Int32, _ rest: UnsafeRawBufferPointer) -> Int {
        if connections[fd].waiting >= 256 << 10 { connections[fd].flush() }
        guard connections[fd].waiting < 256 << 10 else { return 0 }
        let piece = unsafe UnsafeRawBufferPointer(rebasing: rest[..<min(rest.count, 64 << 10)])
        guard unsafe connections[fd].tls?.write(piece) == true else {
            connections[fd].isLost = true
            return 0
        }
        return piece.count
    }

    mutating func feedHTTP1(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard connections[fd].inbound.isEmpty else {
            unsafe connections[fd].inbound.append(bytes)
            let used = unsafe read(fd, connections[fd].inbound.bytes)
            return connections[fd].inbound.consume(used)
        }
        let used = unsafe read(fd, bytes)
        if used < bytes.count { unsafe connections[fd].inbound.append(UnsafeRawBufferPointer(rebasing: bytes[used...])) }
    }

    /// How many bytes have been used: all, but for the beginning of a head.
    private mutating func read(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        let unit = connections[fd].firstUnit
        var at = 0
        while at < bytes.count, !connections[fd].isLost, phase != .over {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[at...])
            switch connections[fd].part {
            case .head:
                let count = unsafe readHead(fd, unit, rest)
                guard count > 0 else { return at }
                at += count
            case .length(let left):
                let count = min(left, rest.count)
                unsafe take(UnsafeRawBufferPointer(rebasing: rest[..<count]), for: unit)
                at += count
                if count == left { endHTTP1(fd, unit) } else { connections[fd].part = .length(left - count) }
            case .chunks: at = unsafe readChunk(fd, unit, bytes, from: at)
            case .untilClose:
                unsafe take(rest, for: unit)
                at = bytes.count
            }
        }
        return bytes.count
    }

    /// The head's size, or 0 when it is not complete.
    private mutating func readHead(_ fd: Int32, _ unit: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard units[unit].isBusy else {
            connections[fd].isLost = true
            report.note(error: "bytes that nobody asked for")
            return bytes.count
        }
        switch unsafe connections[fd].head.parse(bytes, requestMethodWasHead: false, limits: HeadLimits()) {
        case .incomplete: return 0
        case .rejected(let rejection):
            connections[fd].isLost = true
            fail(unit, "an answer that is none: \(rejection)")
            return bytes.count
        case .complete(let count):
            if connections[fd].head.isInterim { return count }
            units[unit].check.status = connections[fd].head.status
            switch connections[fd].head.framing {
            case .none, .length(0): endHTTP1(fd, unit)
            case .length(let length): connections[fd].part = .length(length)
            case .chunked:
                connections[fd].part = .chunks
                connections[fd].chunks = ChunkDecoder()
            case .untilClose: connections[fd].part = .untilClose
            }
            return count
        }
    }

    private mutating func readChunk(_ fd: Int32, _ unit: Int32, _ bytes: UnsafeRawBufferPointer, from at: Int) -> Int {
        switch unsafe connections[fd].chunks.next(bytes, from: at) {
        case .data(let start, let count, let next):
            unsafe take(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), for: unit)
            return next
        case .trailers(_, _, let next): return next
        case .starved: return bytes.count
        case .done(let next):
            endHTTP1(fd, unit)
            return next
        case .malformed(let rejection):
            connections[fd].isLost = true
            fail(unit, "a body that is none: \(rejection)")
            return bytes.count
        }
    }

    /// The answer is complete; the next request goes out at once.
    private mutating func endHTTP1(_ fd: Int32, _ unit: Int32) {
        connections[fd].part = .head
        if !connections[fd].head.keepAlive { connections[fd].isLost = true }
        finish(unit)
    }

    /// A body without a length ends with its connection.
    mutating func connectionEndedHTTP1(_ fd: Int32) {
        guard case .untilClose = connections[fd].part else { return }
        endHTTP1(fd, connections[fd].firstUnit)
    }
}
