internal import Sockets

/// Where something stands in a head, none of which is longer than 65,536 bytes: heads lie in thousands, while they wait for answers.
struct HeadRange: Equatable, Sendable, BitwiseCopyable {
    private let start, count: UInt16

    init() { (start, count) = (0, 0) }
    @inline(__always)
    init(_ range: Range<Int>) {
        start = UInt16(truncatingIfNeeded: range.lowerBound)
        count = UInt16(truncatingIfNeeded: range.count)
    }
    var range: Range<Int> { @inline(__always) get { Int(start)..<Int(start) + Int(count) } }
}

/// One field line as offsets into the bytes that were parsed.
public struct FieldLine: Equatable, Sendable {
    /// Which of the known names it is.
    public internal(set) var name: FieldName
    /// Whether a `Connection` field names it: it belongs to this connection and is not passed on.
    public internal(set) var isNamedInConnection: Bool
    private let namePlace, valuePlace: HeadRange

    /// Where the name stands.
    public var nameRange: Range<Int> { namePlace.range }
    /// Where the value stands, without the white space around it.
    public var valueRange: Range<Int> { valuePlace.range }

    /// Reads a line that `LineScanner` has found, so that no control byte but HTAB is in it (RFC 9112 §5).
    @inline(__always)
    init(_ view: ByteView, _ line: Range<Int>) throws(Rejection) {
        var colon = line.lowerBound
        while colon < line.upperBound, ByteSet.token.contains(view[colon]) { colon += 1 }
        guard colon < line.upperBound, colon > line.lowerBound, view[colon] == UInt8(ascii: ":") else {
            throw Self.fault(view, line, at: colon)
        }
        guard colon - line.lowerBound <= HeadLimits.fieldNameLength else { throw .fieldNameTooLong }
        name = try FieldName(view, line.lowerBound..<colon)
        isNamedInConnection = false
        namePlace = HeadRange(line.lowerBound..<colon)
        valuePlace = HeadRange(view.trimmed(colon + 1..<line.upperBound))
    }

    /// Why the name that begins `line` ends at `stop` without a colon, or is empty.
    @inline(never)
    private static func fault(_ view: ByteView, _ line: Range<Int>, at stop: Int) -> Rejection {
        guard stop < line.upperBound else { return .missingColon }
        if stop == line.lowerBound {
            if Byte.isBlank(view[stop]) { return .foldedLine }
            if view[stop] == UInt8(ascii: ":") { return .emptyFieldName }
        }
        guard Byte.isBlank(view[stop]) else { return .malformedFieldName }
        let rest = view.trimmed(stop..<line.upperBound)
        return !rest.isEmpty && view[rest.lowerBound] == UInt8(ascii: ":") ? .spaceBeforeColon : .malformedFieldName
    }
}

/// The field lines of one head, in a block that is used for every head until it is given back, and grows once if one needs it.
@safe
struct FieldTable: ~Copyable {
    /// A head with more field lines is refused whatever the limits say.
    static var capacity: Int { 128 }
    /// Room at first, for nearly every head there is.
    private static var usual: Int { 40 }

    private var lines: UnsafeMutablePointer<FieldLine>?
    private var byteCount: UInt32 = 0
    private var room: UInt16 = 0
    private var filled: UInt16 = 0
    /// Where blocks come from; nil: from malloc.
    private let pool: BufferPool?
    /// A bit for each name that occurs, and for each that occurs more than once.
    private var seen: UInt64 = 0
    private var seenTwice: UInt64 = 0

    init(pool: BufferPool?) { self.pool = pool }
    deinit { giveBack() }

    var count: Int { @inline(__always) get { Int(filled) } }

    subscript(index: Int) -> FieldLine {
        @inline(__always)
        get {
            precondition(index >= 0 && index < count)
            return unsafe lines.unsafelyUnwrapped[index]
        }
    }

    @inline(__always)
    mutating func append(_ line: FieldLine) {
        if filled == room { grow() }
        unsafe (lines.unsafelyUnwrapped + count).initialize(to: line)
        filled += 1
        let bit: UInt64 = 1 << UInt64(line.name.rawValue)
        seenTwice |= seen & bit
        seen |= bit
    }

    @inline(never)
    private mutating func grow() {
        precondition(count < Self.capacity)
        let wanted = room == 0 ? Self.usual : Self.capacity
        let larger: UnsafeMutablePointer<FieldLine>
        var size = 0
        if let pool {
            let block: UnsafeMutableRawPointer
            unsafe (block, size) = pool.take(wanted * MemoryLayout<FieldLine>.stride)
            unsafe larger = block.bindMemory(to: FieldLine.self, capacity: wanted)
        } else {
            unsafe larger = .allocate(capacity: wanted)
        }
        if let lines = unsafe lines { unsafe larger.moveInitialize(from: lines, count: count) }
        giveBack()
        unsafe lines = unsafe larger
        room = UInt16(pool == nil ? wanted : min(size / MemoryLayout<FieldLine>.stride, Self.capacity))
        byteCount = UInt32(size)
    }

    private func giveBack() {
        guard let lines = unsafe lines else { return }
        if let pool { unsafe pool.give(lines, Int(byteCount)) } else { unsafe lines.deallocate() }
    }

    /// Forgets the lines but for which names there were, and holds no memory until there are new ones.
    mutating func release() {
        giveBack()
        unsafe lines = nil
        room = 0
        filled = 0
    }
    /// There were lines, which have been given back.
    var isReleased: Bool { filled == 0 && seen != 0 }

    @inline(__always)
    mutating func removeAll() {
        filled = 0
        seen = 0
        seenTwice = 0
    }

    @inline(__always)
    func contains(_ name: FieldName) -> Bool { seen & 1 << UInt64(name.rawValue) != 0 }
    @inline(__always)
    func containsTwice(_ name: FieldName) -> Bool { seenTwice & 1 << UInt64(name.rawValue) != 0 }

    /// The first line of that name.
    func first(_ name: FieldName) -> FieldLine? {
        guard contains(name) else { return nil }
        for index in 0..<count where self[index].name == name { return self[index] }
        return nil
    }

    /// Marks every line whose name is spelled like `option`.
    mutating func markNamed(_ view: ByteView, _ option: Range<Int>) {
        for index in 0..<count where view.equalIgnoringCase(self[index].nameRange, option) {
            unsafe lines.unsafelyUnwrapped[index].isNamedInConnection = true
        }
    }
}
