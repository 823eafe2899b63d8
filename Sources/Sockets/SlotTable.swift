internal import Glibc

/// Values found by a small number (a descriptor, an index) in one load; slots never move, and pages not used are not resident.
@safe
public struct SlotTable<Element: ~Copyable>: ~Copyable {
    private let slots: UnsafeMutablePointer<Element>
    private let used: UnsafeMutablePointer<Bool>
    /// Slots there are; indices run from 0.
    public let capacity: Int
    /// One more than the highest index ever used.
    public private(set) var ceiling: Int32 = 0
    /// Indices from here on are filled from here on: those between `lowCeiling` and it were never used.
    private let split: Int32
    private var lowCeiling: Int32 = 0
    /// Slots in use.
    public private(set) var count = 0

    /// A table of empty slots. Address space is taken at once, memory as slots are first used. `split`: where a second kind of index begins.
    public init(capacity: Int, split: Int? = nil) {
        self.capacity = capacity
        self.split = Int32(split ?? capacity)
        guard let slots = unsafe calloc(capacity, MemoryLayout<Element>.stride), let used = unsafe calloc(capacity, 1) else {
            fatalError("out of memory for \(capacity) slots")
        }
        unsafe self.slots = unsafe slots.bindMemory(to: Element.self, capacity: capacity)
        unsafe self.used = unsafe used.bindMemory(to: Bool.self, capacity: capacity)
    }
    deinit {
        for index in 0..<Int(ceiling) where unsafe used[index] { unsafe (slots + index).deinitialize(count: 1) }
        unsafe free(slots)
        unsafe free(used)
    }

    /// True when the slot is in use.
    @inline(__always)
    public func holds(_ index: Int32) -> Bool { unsafe index >= 0 && Int(index) < capacity && used[Int(index)] }

    /// The first slot in use at or after `index`, in order.
    public func next(from index: Int32) -> Int32? {
        var at = index
        while at < ceiling {
            if at >= lowCeiling, at < split { at = split }
            if holds(at) { return at }
            at += 1
        }
        return nil
    }

    /// Fills a free slot.
    public mutating func insert(_ element: consuming Element, at index: Int32) {
        precondition(index >= 0 && Int(index) < capacity && !holds(index), "slot \(index) is taken or out of range")
        unsafe (slots + Int(index)).initialize(to: element)
        unsafe used[Int(index)] = true
        ceiling = max(ceiling, index + 1)
        if index < split { lowCeiling = max(lowCeiling, index + 1) }
        count += 1
    }
    /// Empties a slot and ends its value.
    public mutating func remove(at index: Int32) {
        precondition(holds(index), "slot \(index) is empty")
        unsafe used[Int(index)] = false
        count -= 1
        unsafe (slots + Int(index)).deinitialize(count: 1)
    }
    /// Gives the memory of an empty table's slots back to the system.
    public mutating func trim() {
        precondition(count == 0, "slots are in use")
        unsafe ProcessMemory.forget(slots, MemoryLayout<Element>.stride * Int(ceiling))
        (ceiling, lowCeiling) = (0, 0)
    }
    /// The value in a slot that is in use.
    public subscript(index: Int32) -> Element {
        @inline(__always) unsafeAddress {
            precondition(holds(index))
            return unsafe UnsafePointer(slots + Int(index))
        }
        @inline(__always) unsafeMutableAddress {
            precondition(holds(index))
            return unsafe slots + Int(index)
        }
    }
}
