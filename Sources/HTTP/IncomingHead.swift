internal import Glibc
internal import Sockets

/// A head or a trailer section as its fields come out of HPACK, written as lines of HTTP/1.1: so the same parser judges it, with the same
/// strictness, whichever version it came in, and routing, gate and injection read one form (RFC 9113 §8.3, §8.2).
///
/// The text grows at the end of the worker's shared texts: first the values of the pseudo-fields, then, from `textStart` on, the lines.
struct IncomingHead {
    enum Kind { case request, response, trailers }

    var kind = Kind.request
    /// Where it begins in the shared texts.
    private(set) var start = 0
    /// Offset of the lines behind the pseudo-fields' values, from `start`.
    private(set) var textStart = 0
    private var hasLine = false
    private var method = 0..<0
    private var path = 0..<0
    private var authority = 0..<0
    private var hasHost = false
    private var hasLength = false
    /// A field breaks a rule that the parser of lines could not see.
    private(set) var isMalformed = false

    /// What a parser would refuse for its size is not kept.
    private static var byteLimit: Int { 66 << 10 }
    private static var trailerLimit: Int { 8 << 10 }

    mutating func begin(_ kind: Kind, at start: Int) {
        self = IncomingHead()
        self.kind = kind
        self.start = start
    }

    /// The texts before it have been cleared; it goes on at `start`.
    mutating func move(to start: Int) { self.start = start }

    /// Takes the next field.
    @inline(__always)
    mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to texts: inout ByteQueue) {
        guard let nameView = unsafe ByteView(name), !isMalformed else { return }
        // nghttp2 refuses control bytes; a line break that got here would be a second field, so nothing is left to one check.
        if let valueView = unsafe ByteView(value), valueView.firstControl(from: 0) < value.count {
            isMalformed = true
            return
        }
        let size = texts.count - start
        guard size < (kind == .trailers ? Self.trailerLimit : Self.byteLimit) else {
            isMalformed = isMalformed || kind == .trailers
            return
        }
        if nameView[0] == UInt8(ascii: ":") { return unsafe addPseudo(nameView, value, to: &texts) }
        if !hasLine { writeLine(to: &texts) }
        if kind == .trailers, (try? FieldName(nameView, 0..<name.count))?.isRefusedInTrailers ?? true {
            isMalformed = true
            return
        }
        if name.count == 4, nameView.spells("host", in: 0..<4) { hasHost = true }
        if name.count == 14, nameView.spells("content-length", in: 0..<14) { hasLength = true }
        unsafe texts.append(name)
        texts.append(": ")
        unsafe texts.append(value)
        texts.append("\r\n")
    }

    private mutating func addPseudo(_ name: ByteView, _ value: UnsafeRawBufferPointer, to texts: inout ByteQueue) {
        let at = texts.count - start
        let range = at..<at + value.count
        if name.spells(":status", in: 0..<name.count) {
            // After an interim answer, the final one is told from trailers by this field.
            kind = .response
            hasLine = true
            texts.append("HTTP/1.1 ")
            unsafe texts.append(value)
            texts.append(" ")
            unsafe texts.append(StatusLine.reason(for: value))
            texts.append("\r\n")
            return
        }
        if name.spells(":method", in: 0..<name.count) {
            method = range
        } else if name.spells(":path", in: 0..<name.count) {
            path = range
        } else if name.spells(":authority", in: 0..<name.count) {
            authority = range
        } else if let scheme = unsafe ByteView(value),
            scheme.spells("http", in: 0..<value.count) || scheme.spells("https", in: 0..<value.count)
        {
            return
        } else {
            isMalformed = true
            return
        }
        unsafe texts.append(value)
    }

    /// The request line. With an authority it is in absolute form, so that a `Host` that differs is refused where this is done in HTTP/1.1.
    private mutating func writeLine(to texts: inout ByteQueue) {
        hasLine = true
        textStart = texts.count - start
        guard kind == .request else { return }
        copy(method, to: &texts)
        let isPath = unsafe !path.isEmpty && texts.bytes[start + path.lowerBound] == UInt8(ascii: "/")
        texts.append(!authority.isEmpty && isPath ? " http://" : " ")
        if isPath || path.isEmpty { copy(authority, to: &texts) }
        copy(path, to: &texts)
        texts.append(" HTTP/1.1\r\n")
    }

    /// Appends bytes that are in the texts already.
    private func copy(_ range: Range<Int>, to texts: inout ByteQueue) {
        // A field may stand before all pseudo-fields: then there is no text yet, and no memory for one.
        guard !range.isEmpty else { return }
        let room = unsafe texts.reserve(range.count)
        if let base = unsafe texts.bytes.baseAddress { unsafe memcpy(room, base + start + range.lowerBound, range.count) }
        texts.advance(range.count)
    }

    /// All fields are here; answers the range of the lines and of the empty line behind them. `ends`: no body follows.
    mutating func finish(ends: Bool, to texts: inout ByteQueue) -> Range<Int> {
        if !hasLine { writeLine(to: &texts) }
        if kind == .request {
            if !hasHost, !authority.isEmpty {
                texts.append("host: ")
                copy(authority, to: &texts)
                texts.append("\r\n")
            }
            // A body whose length nobody has told: the next hop may have to be sent chunks.
            if !ends, !hasLength { texts.append("transfer-encoding: chunked\r\n") }
        }
        texts.append("\r\n")
        return start + textStart..<texts.count
    }
}
