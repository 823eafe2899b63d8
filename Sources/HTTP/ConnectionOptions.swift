/// What the `Connection` fields of a head say (RFC 9110 §7.6.1).
///
/// They may name hop-by-hop fields and fields that mean nothing to us. Naming any other field is refused and not ignored: a proxy that
/// obeys would drop a credential, a `Host` or a length on the way, one that ignores it passes on what the sender asked to have removed,
/// and no client or server does it in earnest.
struct ConnectionOptions {
    private(set) var close = false
    private(set) var keepAlive = false
    private(set) var upgrade = false
    private var count = 0

    /// Reads all `Connection` lines of `fields` and marks the lines that they name. `protects` tells which names may not be named.
    @inline(__always)
    init(_ view: ByteView, _ fields: inout FieldTable, protects: (FieldName) -> Bool) throws(Rejection) {
        guard fields.contains(.connection) else { return }
        for index in 0..<fields.count where fields[index].name == .connection {
            let value = fields[index].valueRange
            var start = value.lowerBound
            while start < value.upperBound {
                var end = start
                while end < value.upperBound, view[end] != UInt8(ascii: ",") { end += 1 }
                let option = view.trimmed(start..<end)
                // RFC 9110 §5.6.1: empty elements of a list are to be read over.
                if !option.isEmpty { try read(view, option, &fields, protects: protects) }
                start = end + 1
            }
        }
    }

    @inline(__always)
    private mutating func read(
        _ view: ByteView, _ option: Range<Int>, _ fields: inout FieldTable, protects: (FieldName) -> Bool
    ) throws(Rejection) {
        count += 1
        guard count <= HeadLimits.connectionOptions else { throw .tooManyConnectionOptions }
        if view.spells("keep-alive", in: option) {
            keepAlive = true
        } else if view.spells("close", in: option) {
            close = true
        } else {
            try readName(view, option, &fields, protects: protects)
        }
    }

    @inline(never)
    private mutating func readName(
        _ view: ByteView, _ option: Range<Int>, _ fields: inout FieldTable, protects: (FieldName) -> Bool
    ) throws(Rejection) {
        for at in option where !ByteSet.token.contains(view[at]) { throw .malformedConnection }
        let name = try FieldName(view, option)
        if name == .upgrade { upgrade = true }
        guard !protects(name) else { throw .protectedConnectionOption }
        fields.markNamed(view, option)
    }
}

extension FieldName {
    /// Whether a client's `Connection` may not name the field.
    var isProtectedInRequests: Bool { self == .transferEncoding || self != .other && !isHopByHop }

    /// Whether a server's `Connection` may not name the field. What else it names is between it and us, and is not passed on.
    var isProtectedInResponses: Bool { self == .transferEncoding || self == .contentLength }
}
