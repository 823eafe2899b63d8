public import Sockets

/// The head of an upstream's answer as offsets into the bytes it was read from, and where its body ends.
///
/// As reusable and as strict as `RequestHead`: what a client could read in another way than we do is rejected, and the proxy answers 502.
///
///     statusLine ──▶ fields ──empty line──▶ finished ──parse──▶ statusLine
public struct ResponseHead: ~Copyable {
    /// What `parse` came to.
    public typealias Outcome = HeadOutcome
    private enum Phase { case statusLine, fields, finished }

    /// The version of the status line.
    public private(set) var version = Version.http11
    /// 100 to 599.
    public private(set) var status = 0
    /// The reason phrase; may be empty.
    public private(set) var reasonRange = 0..<0
    /// Where the body ends; `none` for an answer to HEAD and for 1xx, 204 and 304, whatever the fields say.
    public private(set) var framing = BodyFraming.none
    /// Whether the connection can carry another request after this answer.
    public private(set) var keepAlive = false

    private var fields: FieldTable
    private var scanner = LineScanner()
    private var framingFields = FramingFields()
    private var phase = Phase.statusLine

    /// A head that has room for 128 field lines, in blocks of `pool`, or else of its own.
    public init(pool: BufferPool? = nil) { fields = FieldTable(pool: pool) }

    /// Gives back the room of the field lines, which are not needed any more; all else that was read stands.
    public mutating func releaseFields() { fields.release() }

    /// Whether the final answer is still to come: 1xx, but for 101, which ends HTTP on the connection.
    public var isInterim: Bool { status < 200 && status != 101 }
    /// Whether the connection now speaks what was asked for in `Upgrade`; refuse it when nothing was asked.
    public var isUpgrade: Bool { status == 101 }
    /// The value of `Content-Length`, also where no body follows it: what a GET would have got, or what a 304 stands for.
    public var declaredLength: Int? { framingFields.length }

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

    /// Reads a head from the start of `bytes`; the contract is that of `RequestHead.parse`.
    ///
    /// Bytes that cannot begin an answer are rejected at the first one that differs, not at the end of a line that may never come.
    public mutating func parse(_ bytes: UnsafeRawBufferPointer, requestMethodWasHead: Bool, limits: HeadLimits) -> Outcome {
        if phase == .finished { reset() }
        guard let view = unsafe ByteView(bytes, limit: limits.byteCount) else { return .incomplete }
        do throws(Rejection) {
            if phase == .statusLine { try checkBeginning(view) }
            while let line = try scanner.nextLine(in: view) {
                if phase == .statusLine {
                    try readStatusLine(view, line)
                } else if !line.isEmpty {
                    try readField(view, line, limits)
                } else {
                    try finish(view, requestMethodWasHead)
                    phase = .finished
                    return .complete(byteCount: scanner.lineStart)
                }
            }
            guard bytes.count >= limits.byteCount else { return .incomplete }
            throw .headTooLarge
        } catch {
            phase = .finished
            return .rejected(error)
        }
    }

    /// Forgets a head that was begun.
    public mutating func reset() {
        fields.removeAll()
        scanner = LineScanner()
        framingFields = FramingFields()
        phase = .statusLine
    }

    private func checkBeginning(_ view: ByteView) throws(Rejection) {
        let beginning = ByteView("HTTP/1.")
        for at in 0..<min(beginning.count, view.count) where view[at] != beginning[at] {
            throw at < 5 ? .notHTTP : .unsupportedVersion
        }
    }

    /// `HTTP/1.x SP 3DIGIT [SP reason]`; RFC 9112 §4 wants the second space, but servers without a reason leave it out.
    @inline(__always)
    private mutating func readStatusLine(_ view: ByteView, _ line: Range<Int>) throws(Rejection) {
        guard line.count >= 12, view[8] == Byte.space, line.count == 12 || view[12] == Byte.space else { throw .malformedStatusLine }
        guard let version = Version(view, 0) else { throw .unsupportedVersion }
        guard Byte.isDigit(view[9]), Byte.isDigit(view[10]), Byte.isDigit(view[11]) else { throw .malformedStatusLine }
        let number = Int(view[9] - 0x30) * 100 + Int(view[10] - 0x30) * 10 + Int(view[11] - 0x30)
        guard number >= 100, number < 600 else { throw .statusOutOfRange }
        self.version = version
        status = number
        reasonRange = min(13, line.upperBound)..<line.upperBound
        phase = .fields
    }

    @inline(__always)
    private mutating func readField(_ view: ByteView, _ line: Range<Int>, _ limits: HeadLimits) throws(Rejection) {
        let field = try FieldLine(view, line)
        guard fields.count < limits.fieldCount else { throw .tooManyFields }
        switch field.name {
        case .contentLength: try framingFields.readLength(view, field.valueRange)
        case .transferEncoding: try framingFields.readCoding(view, field.valueRange, version)
        default: break
        }
        fields.append(field)
    }

    /// RFC 9112 §6.3, in its order.
    @inline(__always)
    private mutating func finish(_ view: ByteView, _ requestMethodWasHead: Bool) throws(Rejection) {
        let options = try ConnectionOptions(view, &fields) { $0.isProtectedInResponses }
        keepAlive = !options.close && (version == .http11 || options.keepAlive)
        if requestMethodWasHead || status < 200 || status == 204 || status == 304 {
            framing = .none
        } else if framingFields.isChunked {
            framing = .chunked
        } else if let length = framingFields.length {
            framing = .length(length)
        } else {
            framing = .untilClose
            keepAlive = false
        }
    }
}
