internal import CNGHTTP2
internal import Glibc

/// Lines of HTTP/1.1 cut into the fields of an HTTP/2 frame, where they lie (RFC 9113 §8.2, §8.3): one writer makes the heads of both versions.
///
/// Names are put into lower case in place. Nothing is copied, so the lines must stay until the frame has been made.
@safe
struct OutgoingHead {
    enum Kind { case request(scheme: StaticString), response, trailers }

    private let pairs: UnsafeMutablePointer<nghttp2_nv>
    private let lines: UnsafeMutableRawBufferPointer
    private let size: Int
    /// Lines from here on carry a credential: they are never put into a table, neither ours nor the peer's (RFC 7541 §7.1.3).
    private let secretsFrom: Int
    private(set) var count = 0

    /// Cuts `lines` into `pairs`.
    init(_ lines: UnsafeMutableRawBufferPointer, _ kind: Kind, secretsFrom: Int = .max, into pairs: UnsafeMutablePointer<nghttp2_nv>) {
        unsafe self.pairs = unsafe pairs
        unsafe self.lines = unsafe lines
        size = lines.count
        self.secretsFrom = secretsFrom
        var at = 0
        switch kind {
        case .request(let scheme): at = readRequestLine(scheme)
        case .response: at = readStatusLine()
        case .trailers: break
        }
        while at < size, let end = end(ofLineAt: at), end > at {
            readField(at, end)
            at = end + 2
        }
    }

    /// `METHOD TARGET HTTP/1.1`, and the `Host` line that always follows it.
    private mutating func readRequestLine(_ scheme: StaticString) -> Int {
        guard let end = end(ofLineAt: 0), let space = find(UInt8(ascii: " "), from: 0, to: end) else { return size }
        add(":method", 0..<space)
        add(":scheme", scheme)
        add(":path", space + 1..<end - " HTTP/1.1".utf8.count)
        let host = end + 2 + "Host: ".utf8.count
        guard host < size, let hostEnd = self.end(ofLineAt: host) else { return size }
        add(":authority", host..<hostEnd)
        return hostEnd + 2
    }

    /// `HTTP/1.1 STATUS REASON`
    private mutating func readStatusLine() -> Int {
        add(":status", 9..<12)
        return (end(ofLineAt: 0) ?? size) + 2
    }

    private mutating func readField(_ start: Int, _ end: Int) {
        guard count < HTTP2Scratch.pairCapacity, let colon = find(UInt8(ascii: ":"), from: start, to: end) else { return }
        var first: UInt8 = 0
        for at in start..<colon {
            let byte = unsafe Byte.lowercased(lines[at])
            unsafe lines[at] = byte
            if at == start { first = byte }
        }
        let name = start..<colon
        if isOfTheConnection(name, first) { return }
        let value = min(colon + 2, end)..<end
        let isSecret = start >= secretsFrom
        add(name, value, isSecret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)
    }

    /// What HTTP/2 has no field for (RFC 9113 §8.2.2).
    @inline(__always)
    private func isOfTheConnection(_ name: Range<Int>, _ first: UInt8) -> Bool {
        switch (first, name.count) {
        case (UInt8(ascii: "c"), 10): spells("connection", name)
        case (UInt8(ascii: "t"), 17): spells("transfer-encoding", name)
        case (UInt8(ascii: "k"), 10): spells("keep-alive", name)
        case (UInt8(ascii: "u"), 7): spells("upgrade", name)
        default: false
        }
    }

    @inline(__always)
    private func spells(_ text: StaticString, _ name: Range<Int>) -> Bool {
        unsafe memcmp(lines.baseAddress.unsafelyUnwrapped + name.lowerBound, text.utf8Start, name.count) == 0
    }

    @inline(__always)
    private func end(ofLineAt start: Int) -> Int? { find(UInt8(ascii: "\r"), from: start, to: size) }

    @inline(__always)
    private func find(_ byte: UInt8, from start: Int, to end: Int) -> Int? {
        guard start < end, let base = unsafe lines.baseAddress else { return nil }
        guard let place = unsafe memchr(base + start, Int32(byte), end - start) else { return nil }
        return unsafe place - base
    }

    private mutating func add(_ name: StaticString, _ value: Range<Int>) {
        unsafe add(name.utf8Start, name.utf8CodeUnitCount, start(of: value), value.count, NGHTTP2_NV_FLAG_NONE)
    }
    private mutating func add(_ name: StaticString, _ value: StaticString) {
        unsafe add(name.utf8Start, name.utf8CodeUnitCount, value.utf8Start, value.utf8CodeUnitCount, NGHTTP2_NV_FLAG_NONE)
    }
    @inline(__always)
    private mutating func add(_ name: Range<Int>, _ value: Range<Int>, _ flags: nghttp2_nv_flag) {
        unsafe add(start(of: name), name.count, start(of: value), value.count, flags)
    }
    @inline(__always)
    private func start(of range: Range<Int>) -> UnsafePointer<UInt8> {
        unsafe UnsafePointer((lines.baseAddress.unsafelyUnwrapped + range.lowerBound).assumingMemoryBound(to: UInt8.self))
    }

    @inline(__always)
    private mutating func add(
        _ name: UnsafePointer<UInt8>, _ nameCount: Int, _ value: UnsafePointer<UInt8>, _ valueCount: Int, _ flags: nghttp2_nv_flag
    ) {
        let all = flags.rawValue | NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue
        unsafe (pairs + count).initialize(
            to: nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name), value: UnsafeMutablePointer(mutating: value), namelen: nameCount,
                valuelen: valueCount, flags: UInt8(all)))
        count += 1
    }
}
