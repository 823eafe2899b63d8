/// Reads HTTP/1 messages from a socket as strictly and simply as possible: what is not exactly right is a mismatch.
struct MessageReader {
    enum Framing: Equatable { case none, length(Int), chunked, untilClose }
    private let socket: PlainSocket
    private var buffer: [UInt8] = []
    private(set) var startLine = ""
    private(set) var fields: [(name: String, value: String)] = []
    /// The lines behind the last chunk that was read.
    private(set) var trailers: [String] = []
    /// What of the body is still to be read.
    private(set) var framing = Framing.none
    /// Whether an earlier head promised a body that has not been looked at.
    var hasUnreadBody: Bool { framing != .none }

    init(_ socket: PlainSocket) { self.socket = socket }

    // MARK: Heads

    mutating func readHead(isRequest: Bool) throws(Mismatch) {
        startLine = try readLine()
        fields = []
        while case let line = try readLine(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex, line.first != " ", line[..<colon].last != " " else {
                throw Mismatch(expected: "a field line", got: Self.shown(Array(line.utf8)))
            }
            let value = line[line.index(after: colon)...]
            guard value.first == " ", value.dropFirst().first != " ", value == " " || value.last != " " else {
                throw Mismatch(expected: "one space before a field's value and none behind it", got: Self.shown(Array(line.utf8)))
            }
            fields.append((String(line[..<colon]), String(value.dropFirst())))
        }
        framing = try bodyFraming(isRequest: isRequest)
    }

    func values(of name: String) -> [String] { fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value) }

    private func bodyFraming(isRequest: Bool) throws(Mismatch) -> Framing {
        let lengths = values(of: "content-length")
        let codings = values(of: "transfer-encoding")
        guard lengths.count + codings.count <= 1 else {
            throw Mismatch(expected: "one framing field", got: "Content-Length \(lengths), Transfer-Encoding \(codings)")
        }
        if let coding = codings.first {
            guard coding == "chunked" else { throw Mismatch(expected: "Transfer-Encoding: chunked", got: coding) }
            return .chunked
        }
        if let length = lengths.first {
            guard let count = Int(length), String(count) == length else { throw Mismatch(expected: "a length", got: length) }
            return count == 0 ? .none : .length(count)
        }
        let status = startLine.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return isRequest || status < 200 || status == 204 || status == 304 ? .none : .untilClose
    }

    // MARK: Bodies

    /// The rest of the body.
    mutating func readBody() throws(Mismatch) -> [UInt8] {
        var body: [UInt8] = []
        switch framing {
        case .none: break
        case .length(let count): body = try take(count)
        case .chunked: while let chunk = try readChunk() { body += chunk }
        case .untilClose: body = try takeUntilEnd()
        }
        framing = .none
        return body
    }

    /// The next chunk; nil for the last one, with the trailer section behind it.
    mutating func readChunk() throws(Mismatch) -> [UInt8]? {
        let line = try readLine()
        guard let size = Int(line, radix: 16), line.first != "+", line.first != "-" else {
            throw Mismatch(expected: "a chunk size", got: line)
        }
        guard size > 0 else {
            trailers = []
            while case let line = try readLine(), !line.isEmpty { trailers.append(line) }
            framing = .none
            return nil
        }
        let data = try take(size)
        let end = try take(2)
        guard end == [13, 10] else { throw Mismatch(expected: "CR LF behind the chunk's data", got: Self.shown(end)) }
        return data
    }

    /// The script reads raw bytes from here on, or says that no body follows.
    mutating func forgetBody() { framing = .none }

    // MARK: Bytes

    mutating func readLine() throws(Mismatch) -> String {
        var searched = 0
        while true {
            if let feed = buffer[searched...].firstIndex(of: 10) {
                guard feed > 0, buffer[feed - 1] == 13 else {
                    throw Mismatch(expected: "a line ended by CR LF", got: Self.shown(Array(buffer[...feed])))
                }
                let line = Array(buffer[..<(feed - 1)])
                guard line.allSatisfy({ $0 >= 0x20 || $0 == 9 }) else { throw Mismatch(expected: "a line of text", got: Self.shown(line)) }
                buffer.removeFirst(feed + 1)
                return String(decoding: line, as: UTF8.self)
            }
            searched = buffer.count
            try fill("a line")
        }
    }

    mutating func take(_ count: Int) throws(Mismatch) -> [UInt8] {
        while buffer.count < count { try fill("\(count) bytes, \(buffer.count) of which have come") }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private mutating func takeUntilEnd() throws(Mismatch) -> [UInt8] {
        while true {
            switch socket.receive() {
            case .bytes(let bytes): buffer += bytes
            case .ended:
                defer { buffer = [] }
                return buffer
            case .reset: throw Mismatch(expected: "an orderly end", got: "a reset after \(Self.shown(buffer))")
            case .nothing: throw Mismatch(expected: "an orderly end", got: "an open connection after \(Self.shown(buffer))")
            }
        }
    }

    private mutating func fill(_ wanted: String) throws(Mismatch) {
        switch socket.receive() {
        case .bytes(let bytes): buffer += bytes
        case .ended: throw Mismatch(expected: wanted, got: "the end of the connection after \(Self.shown(buffer))", isEndOfConnection: true)
        case .reset: throw Mismatch(expected: wanted, got: "a reset after \(Self.shown(buffer))", isEndOfConnection: true)
        case .nothing: throw Mismatch(expected: wanted, got: "nothing more after \(Self.shown(buffer))")
        }
    }

    /// What comes when nothing should: bytes already here, or what arrives in time.
    mutating func next(within milliseconds: Int32) -> PlainSocket.Received {
        guard buffer.isEmpty else { return .bytes(buffer) }
        return socket.receive(within: milliseconds)
    }

    /// Bytes as a person can read them, shortened.
    static func shown(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes.prefix(300) {
            switch byte {
            case 13: text += "\\r"
            case 10: text += "\\n"
            case 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return "\"\(text)\"" + (bytes.count > 300 ? "… (\(bytes.count) bytes)" : "")
    }
}
