public import Sockets

/// The head of a request as offsets into the bytes it was read from, and what follows from it: method, target, framing, persistence.
///
/// One value serves every request of a connection: `parse` begins anew after a head that was complete or rejected. Its only allocation is
/// made at `init`. What it admits can be read in one way only (spec/threats.md §5); everything else is rejected.
///
///     requestLine ──▶ fields ──empty line──▶ finished ──parse──▶ requestLine
public struct RequestHead: ~Copyable {
    /// What `parse` came to.
    public typealias Outcome = HeadOutcome
    private enum Phase { case requestLine, fields, finished }

    /// What is asked for, and where its name stands.
    public private(set) var method = Method.other
    /// Where the method's name stands.
    public var methodRange: Range<Int> { methodPlace.range }
    /// Path and query: begins with `/` and holds bytes 0x21-0x7e but no `#`. For CONNECT the authority that was asked for.
    public var target: Range<Int> { targetPlace.range }
    /// The authority of a target in absolute form, which equals `host` but for case, or what CONNECT asks for; nil in origin form.
    public var targetAuthority: Range<Int>? { authorityPlace?.range }
    /// The version of the request line.
    public private(set) var version = Version.http11
    /// The value of `Host`: a host and perhaps a port.
    public var host: Range<Int> { hostPlace.range }
    /// `host` without its port; an IPv6 literal has its brackets.
    public var hostName: Range<Int> { hostNamePlace.range }
    /// Where the body ends; never `untilClose`.
    public private(set) var framing = BodyFraming.none
    /// Whether the client may send another request on this connection.
    public private(set) var keepAlive = false
    /// Whether the client waits for `100 Continue` before it sends the body.
    public private(set) var expectsContinue = false
    /// Whether the client asks for another protocol: an `Upgrade` field that `Connection` names (RFC 9110 §7.8).
    public private(set) var upgrade = false

    private var methodPlace = HeadRange(), targetPlace = HeadRange(), hostPlace = HeadRange(), hostNamePlace = HeadRange()
    private var authorityPlace: HeadRange?
    private var fields: FieldTable
    private var scanner = LineScanner()
    private var framingFields = FramingFields()
    private var phase = Phase.requestLine
    private var hasEmptyLine = false

    /// A head that has room for 128 field lines, in blocks of `pool`, or else of its own.
    public init(pool: BufferPool? = nil) { fields = FieldTable(pool: pool) }

    /// Gives back the room of the field lines, which are not needed for now; all else that was read stands, `contains` among it.
    public mutating func releaseFields() { fields.release() }
    /// Has the field lines again, if they have been given back. `bytes`: what the head was read from.
    public mutating func restoreFields(from bytes: UnsafeRawBufferPointer) {
        guard fields.isReleased else { return }
        // No settings allow more than these limits do.
        let outcome = unsafe parse(bytes, limits: HeadLimits())
        guard case .complete = outcome else { preconditionFailure("what was read once cannot be read again") }
    }

    // MARK: Fields

    /// How many field lines there are.
    public var fieldCount: Int { fields.count }
    /// A field line, in the order of arrival.
    public subscript(index: Int) -> FieldLine { fields[index] }
    /// Whether there is a field of that name.
    public func contains(_ name: FieldName) -> Bool { fields.contains(name) }
    /// Whether there is more than one field of that name.
    public func containsTwice(_ name: FieldName) -> Bool { fields.containsTwice(name) }
    /// The first field of that name.
    public func first(_ name: FieldName) -> FieldLine? { fields.first(name) }

    // MARK: Parsing

    /// Reads a head from the start of `bytes`; when it is `incomplete`, call again with the same bytes and more behind them.
    ///
    /// Offsets refer to the start of `bytes`; the bytes may lie elsewhere at the next call. The outcome depends on the bytes alone, not on
    /// how they were cut. Bytes behind the head are not looked at.
    public mutating func parse(_ bytes: UnsafeRawBufferPointer, limits: HeadLimits) -> Outcome {
        if phase == .finished { reset() }
        guard let view = unsafe ByteView(bytes, limit: limits.byteCount) else { return .incomplete }
        do throws(Rejection) {
            while let line = try scanner.nextLine(in: view) {
                if phase == .requestLine {
                    try readRequestLine(view, line)
                } else if !line.isEmpty {
                    try readField(view, line, limits)
                } else {
                    try finish(view)
                    phase = .finished
                    return .complete(byteCount: scanner.lineStart)
                }
            }
            guard bytes.count >= limits.byteCount else { return .incomplete }
            throw phase == .requestLine ? .targetTooLong : .headTooLarge
        } catch {
            phase = .finished
            return .rejected(error)
        }
    }

    /// Forgets a head that was begun, for a connection that is closed before it is complete.
    public mutating func reset() {
        fields.removeAll()
        scanner = LineScanner()
        framingFields = FramingFields()
        phase = .requestLine
        hasEmptyLine = false
        authorityPlace = nil
        expectsContinue = false
        upgrade = false
    }

    /// `METHOD SP TARGET SP HTTP/1.x`, after at most one empty line.
    ///
    /// RFC 9112 §2.2 asks servers to read over an empty line before a request line, as some clients end a body with one. It cannot be
    /// mistaken for anything else; two of them are not what the rule is for and are refused.
    @inline(__always)
    private mutating func readRequestLine(_ view: ByteView, _ line: Range<Int>) throws(Rejection) {
        guard !line.isEmpty else {
            guard !hasEmptyLine else { throw .emptyLines }
            hasEmptyLine = true
            return
        }
        var space = line.lowerBound
        while space < line.upperBound, ByteSet.token.contains(view[space]) { space += 1 }
        guard space < line.upperBound, view[space] == Byte.space, space > line.lowerBound else {
            throw space < line.upperBound && view[space] > Byte.space ? .malformedMethod : .malformedRequestLine
        }
        methodPlace = HeadRange(line.lowerBound..<space)
        guard methodRange.count <= HeadLimits.methodLength else { throw .methodTooLong }
        method = Method(view, methodRange)
        // The last nine bytes are ` HTTP/1.x`; a further space is then found as a byte that no target holds.
        let versionStart = line.upperBound - 8
        guard versionStart > space + 2, view[versionStart - 1] == Byte.space, let version = Version(view, versionStart) else {
            throw Version.fault(view, space + 1..<line.upperBound)
        }
        self.version = version
        let target = try RequestTarget(view, space + 1..<versionStart - 1, method)
        targetPlace = HeadRange(target.originForm)
        authorityPlace = target.authority.map { HeadRange($0.range) }
        phase = .fields
    }

    @inline(__always)
    private mutating func readField(_ view: ByteView, _ line: Range<Int>, _ limits: HeadLimits) throws(Rejection) {
        let field = try FieldLine(view, line)
        guard fields.count < limits.fieldCount else { throw .tooManyFields }
        switch field.name {
        case .host:
            guard !fields.contains(.host) else { throw .repeatedHost }
            guard let authority = Authority(view, field.valueRange) else { throw .malformedHost }
            hostPlace = HeadRange(authority.range)
            hostNamePlace = HeadRange(authority.host)
        case .contentLength: try framingFields.readLength(view, field.valueRange)
        case .transferEncoding: try framingFields.readCoding(view, field.valueRange, version)
        case .expect:
            guard view.spells("100-continue", in: field.valueRange) else { throw .unsupportedExpectation }
            // RFC 9110 §10.1.1: to be ignored in HTTP/1.0.
            expectsContinue = version == .http11
        default: break
        }
        fields.append(field)
    }

    /// What only the whole head can tell.
    @inline(__always)
    private mutating func finish(_ view: ByteView) throws(Rejection) {
        guard fields.contains(.host) else { throw .missingHost }
        if let authority = targetAuthority, method != .connect, !view.equalIgnoringCase(authority, host) { throw .authorityMismatch }
        let options = try ConnectionOptions(view, &fields) { $0.isProtectedInRequests }
        keepAlive = !options.close && (version == .http11 || options.keepAlive)
        upgrade = options.upgrade && fields.contains(.upgrade)
        framing = framingFields.isChunked ? .chunked : framingFields.length.map { .length($0) } ?? .none
        if !framing.mayHaveBytes { expectsContinue = false }
    }
}
