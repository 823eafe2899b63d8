internal import Glibc

/// Bytes in one block, appended at the end and consumed at the start. Holds no memory while empty and released.
@safe
public struct ByteQueue: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private let pool: BufferPool
    /// Offsets of the block, and its size: a thousand idle streams have some ten queues each.
    private var places: (capacity: UInt32, head: UInt32, tail: UInt32) = (0, 0, 0)
    /// What it holds, or has held since it was empty, is a secret: no block goes back to the pool before it is overwritten.
    public var isSecret = false

    /// Checked: the others are never beyond it.
    private var capacity: Int {
        @inline(__always) get { Int(truncatingIfNeeded: places.capacity) }
        @inline(__always) set { places.capacity = UInt32(newValue) }
    }
    private var head: Int {
        @inline(__always) get { Int(truncatingIfNeeded: places.head) }
        @inline(__always) set { places.head = UInt32(truncatingIfNeeded: newValue) }
    }
    private var tail: Int {
        @inline(__always) get { Int(truncatingIfNeeded: places.tail) }
        @inline(__always) set { places.tail = UInt32(truncatingIfNeeded: newValue) }
    }

    /// An empty queue that takes its block from `pool` when it needs one.
    public init(pool: BufferPool) { self.pool = pool }
    deinit { giveBack() }

    /// Bytes held.
    public var count: Int { @inline(__always) get { tail - head } }
    /// True when nothing is held.
    public var isEmpty: Bool { @inline(__always) get { tail == head } }
    /// The bytes held; valid until the next mutation.
    public var bytes: UnsafeRawBufferPointer {
        @inline(__always) get { unsafe UnsafeRawBufferPointer(start: base.map { unsafe UnsafeRawPointer($0 + head) }, count: tail - head) }
    }
    /// The same bytes, to be changed in place.
    public var mutableBytes: UnsafeMutableRawBufferPointer {
        @inline(__always) get { unsafe UnsafeMutableRawBufferPointer(start: base.map { unsafe $0 + head }, count: tail - head) }
    }

    /// Appends `size` bytes.
    @inline(__always)
    public mutating func append(_ source: UnsafeRawPointer, _ size: Int) {
        if tail + size > capacity { grow(by: size) }
        unsafe copyBytes(base.unsafelyUnwrapped + tail, source, size)
        tail += size
    }
    /// Appends all of `source`.
    @inline(__always)
    public mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, source.count > 0 else { return }
        unsafe append(start, source.count)
    }
    /// Appends all of `source`.
    @inline(__always)
    public mutating func append(_ source: RawSpan) {
        unsafe source.withUnsafeBytes { unsafe append($0) }
    }
    /// Appends all of `source`.
    @inline(__always)
    public mutating func append(_ source: [UInt8]) {
        unsafe source.withUnsafeBytes { unsafe append($0) }
    }
    /// Puts `source` into an empty queue, in a block that has little room beyond it: for what is held for long and is not added to.
    public mutating func hold(_ source: RawSpan) {
        _ = unsafe reserve(exactly: source.byteCount)
        append(source)
    }
    /// Appends a literal.
    @inline(__always)
    public mutating func append(_ text: StaticString) { unsafe append(text.utf8Start, text.utf8CodeUnitCount) }
    /// Appends text made at run time (errors and other rare paths).
    public mutating func append(text: String) {
        var text = text
        text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0)) }
    }
    /// Appends one byte.
    @inline(__always)
    public mutating func append(byte: UInt8) {
        if tail + 1 > capacity { grow(by: 1) }
        unsafe base.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: tail, as: UInt8.self)
        tail += 1
    }

    /// Room for `size` bytes that the caller fills and then counts with `advance`.
    @inline(__always)
    public mutating func reserve(_ size: Int) -> UnsafeMutableRawPointer {
        if tail + size > capacity { grow(by: size) }
        return unsafe base.unsafelyUnwrapped + tail
    }
    /// The same for all that an empty queue will ever hold.
    public mutating func reserve(exactly size: Int) -> UnsafeMutableRawPointer {
        if unsafe base == nil, size > 0 { unsafe (base, capacity) = pool.take(size) }
        return unsafe reserve(size)
    }
    /// Counts bytes written into reserved room.
    @inline(__always)
    public mutating func advance(_ size: Int) { tail += size }

    /// Puts `text` in the place of the bytes at `range`. Of what stands around them, the shorter side moves when bytes go.
    public mutating func replace(_ range: Range<Int>, with text: [UInt8]) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "no such bytes to be replaced")
        let growth = text.count - range.count
        let behind = count - range.upperBound
        if growth > 0, tail + growth > capacity { grow(by: growth) }
        guard let base = unsafe base else { return }
        let start = head + range.lowerBound
        if growth < 0, range.lowerBound < behind {
            unsafe memmove(base + head - growth, base + head, range.lowerBound)
            head -= growth
        } else {
            unsafe memmove(base + start + text.count, base + head + range.upperBound, behind)
            tail += growth
        }
        let place = head + range.lowerBound
        unsafe text.withUnsafeBytes { if let bytes = $0.baseAddress { unsafe memcpy(base + place, bytes, $0.count) } }
        if head == tail { release() }
    }

    /// Drops `size` bytes from the start; the block goes back to the pool when nothing is left.
    @inline(__always)
    public mutating func consume(_ size: Int) {
        head += size
        if head == tail { release() }
    }
    /// Drops everything and gives the block back.
    public mutating func release() {
        giveBack()
        unsafe base = nil
        isSecret = false
        places = (0, 0, 0)
    }
    /// As `release`, after overwriting what was held and what had been consumed.
    public mutating func wipe() {
        isSecret = true
        release()
    }
    /// Takes another queue's block over, leaving it empty. For a queue that is itself empty.
    public mutating func take(from other: inout ByteQueue) {
        unsafe swap(&base, &other.base)
        swap(&places, &other.places)
        swap(&isSecret, &other.isSecret)
    }

    /// The next to take the block must not find a secret in it; `explicit_bzero` is not optimised away.
    private func giveBack() {
        guard let base = unsafe base else { return }
        if isSecret { unsafe explicit_bzero(base, tail) }
        unsafe pool.give(base, capacity)
    }

    /// What is written in pieces begins with a block of this size.
    private static var smallest: Int { 1024 }

    @inline(never)
    private mutating func grow(by size: Int) {
        let held = count
        if let base = unsafe base, held + size <= capacity, head >= held {
            unsafe copyBytes(base, base + head, held)
            if isSecret { unsafe explicit_bzero(base + held, tail - held) }
        } else {
            // Beyond the pool's largest block, doubling keeps the copying linear in what is held.
            let (larger, room) = unsafe pool.take(held + size > 1 << 20 ? max(held + size, capacity * 2) : max(held + size, Self.smallest))
            if let base = unsafe base { unsafe copyBytes(larger, base + head, held) }
            giveBack()
            unsafe base = unsafe larger
            capacity = room
        }
        head = 0
        tail = held
    }
}
