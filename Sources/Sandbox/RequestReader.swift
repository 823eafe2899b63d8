internal import Digest
internal import HTTP
internal import TLS

/// Reads one request after the other from a connection: head, `100 Continue`, body to its end.
struct RequestReader: ~Copyable {
    /// What a client sent next.
    enum Outcome {
        case request(Request, keepAlive: Bool, isHTTP10: Bool)
        /// Orderly or not, nothing more comes.
        case ended
        /// The connection has no defined position any more.
        case malformed(status: Int, message: String)
    }

    private var head = RequestHead()

    /// Waits for the next request.
    mutating func next(_ stream: inout ClientStream) -> Outcome {
        while true {
            guard stream.unreadCount > 0 || stream.fill() else { return .ended }
            var head = RequestHead()
            swap(&head, &self.head)
            let outcome = unsafe stream.withUnread { unsafe head.parse($0, limits: HeadLimits()) }
            swap(&head, &self.head)
            switch outcome {
            case .complete(let byteCount): return read(byteCount, &stream)
            case .rejected(let rejection): return .malformed(status: rejection.status, message: "\(rejection.message)")
            case .incomplete: guard stream.fill() else { return .ended }
            }
        }
    }

    /// The request whose head takes the first `byteCount` bytes.
    private func read(_ byteCount: Int, _ stream: inout ClientStream) -> Outcome {
        guard !head.upgrade else { return .malformed(status: 426, message: "The sandbox does not upgrade.") }
        let bytes = unsafe stream.withUnread { unsafe Array($0[..<byteCount]) }
        stream.consume(byteCount)
        var request = request(from: bytes)
        if head.framing.mayHaveBytes {
            if head.expectsContinue, !stream.write("HTTP/1.1 100 Continue\r\n\r\n".utf8) { return .ended }
            switch BodyReader.drain(head.framing, &stream) {
            case .whole(let body): request.body = body
            case .ended: return .ended
            case .malformed(let message): return .malformed(status: 400, message: message)
            }
        }
        stream.releaseBuffer()
        return .request(request, keepAlive: head.keepAlive, isHTTP10: head.version == .http10)
    }

    private func request(from bytes: [UInt8]) -> Request {
        let text: (Range<Int>) -> String = { String(decoding: bytes[$0], as: UTF8.self) }
        let target = bytes[head.target].split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let fields = (0..<head.fieldCount).map { index in
            (name: text(head[index].nameRange).lowercasedASCII(), value: text(head[index].valueRange))
        }
        return Request(
            method: text(head.methodRange), path: Form.unescape(target[0], plusIsSpace: false),
            query: target.count > 1 ? Form.decode(String(decoding: target[1], as: UTF8.self)) : [], fields: fields)
    }
}

/// Reads a body to its end, whatever its size: hashed, counted, and but for a first part forgotten.
struct BodyReader: ~Copyable {
    enum Outcome {
        case whole(Request.Body)
        case ended
        case malformed(String)
    }

    private var body = Request.Body()
    private let digest = ServerDigest()

    static func drain(_ framing: BodyFraming, _ stream: inout ClientStream) -> Outcome {
        var reader = BodyReader()
        switch framing {
        case .length(let length): guard reader.take(length, &stream) else { return .ended }
        case .chunked:
            var decoder = ChunkDecoder()
            while !decoder.isDone {
                guard stream.unreadCount > 0 || stream.fill() else { return .ended }
                if let message = reader.step(&decoder, &stream) { return .malformed(message) }
            }
        case .none, .untilClose: break
        }
        return .whole(reader.finish())
    }

    /// Exactly `length` bytes.
    private mutating func take(_ length: Int, _ stream: inout ClientStream) -> Bool {
        var left = length
        while left > 0 {
            guard stream.unreadCount > 0 || stream.fill() else { return false }
            let count = min(left, stream.unreadCount)
            add(0..<count, stream)
            stream.consume(count)
            left -= count
        }
        return true
    }

    /// One step of the chunk decoder; a sentence when the framing is broken.
    private mutating func step(_ decoder: inout ChunkDecoder, _ stream: inout ClientStream) -> String? {
        switch unsafe stream.withUnread({ unsafe decoder.next($0) }) {
        case .data(let start, let count, let next):
            add(start..<start + count, stream)
            stream.consume(next)
        case .trailers(_, _, let next), .done(let next): stream.consume(next)
        case .starved: stream.consume(stream.unreadCount)
        case .malformed(let rejection): return "\(rejection.message)"
        }
        return nil
    }

    private mutating func add(_ range: Range<Int>, _ stream: borrowing ClientStream) {
        let kept = max(0, min(range.count, Request.Body.keptBytes - body.prefix.count))
        let head = unsafe stream.withUnread { bytes in
            unsafe digest.update(UnsafeRawBufferPointer(rebasing: bytes[range]))
            return unsafe Array(bytes[range.prefix(kept)])
        }
        body.prefix += head
        body.count += Int64(range.count)
    }

    private consuming func finish() -> Request.Body {
        var body = body
        body.sha256 = Hexadecimal.encode(digest.finish())
        return body
    }
}
