internal import Glibc

/// The allocations of a C library, from free lists of one thread: after warm-up it calls malloc no more.
///
/// Each block is preceded by 16 bytes that hold its shelf and its size. Sizes beyond the largest shelf go to malloc as they are, and blocks of
/// the largest are pages of their own, so that a burst of them leaves no holes in the heap. Those begin in the middle of a page: the library
/// copies whole records between them and buffers that begin one, which `copyBytes` tells the price of. A handle: copies share the lists.
@safe
public struct NodePool {
    /// 16 bytes to 1 KiB in steps of 16, since thousands of connections have dozens of small blocks each; from there to 32 KiB, doubling.
    private static var shelves: Int { 69 }
    private static var steps: Int { 64 }
    @inline(__always) private static func shelf(for size: Int) -> Int {
        size <= 1024 ? max(size - 1, 0) >> 4 : steps + 53 - (size - 1).leadingZeroBitCount
    }
    @inline(__always) private static func room(_ shelf: Int) -> Int { shelf < steps ? (shelf + 1) << 4 : 2048 << (shelf - steps) }
    /// Where in its first page a block of the largest begins.
    private static var pageStart: Int { 2048 }

    @safe private struct Shelf {
        var free: UnsafeMutableRawPointer?
        /// How many more it keeps.
        var vacant = 0
    }
    @safe private struct Core {
        var shelves = InlineArray<69, Shelf>(repeating: Shelf())
        /// Blocks from this size on are overwritten when they come back.
        let wipesFrom: Int
    }
    private let core: UnsafeMutablePointer<Core>

    /// Empty lists. `keeping`: bytes of each size that are kept at most. `wipingFrom`: the size from which on blocks may have held secrets.
    public init(keeping: Int, wipingFrom: Int = .max) {
        unsafe core = .allocate(capacity: 1)
        unsafe core.initialize(to: Core(wipesFrom: wipingFrom))
        for shelf in 0..<Self.shelves { unsafe core.pointee.shelves[shelf].vacant = keeping / Self.room(shelf) }
    }
    /// The pool that has that `handle`.
    public init(handle: UnsafeMutableRawPointer) {
        unsafe core = handle.assumingMemoryBound(to: Core.self)
    }
    /// What to pass through C.
    public var handle: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(core) }

    /// Room for `size` bytes, or nil when there is no memory.
    @inline(__always)
    public func take(_ size: Int) -> UnsafeMutableRawPointer? {
        let shelf = Self.shelf(for: size)
        if shelf < Self.shelves, let node = unsafe core.pointee.shelves[shelf].free {
            unsafe core.pointee.shelves[shelf].free = unsafe node.load(as: UnsafeMutableRawPointer?.self)
            unsafe core.pointee.shelves[shelf].vacant += 1
            return unsafe node
        }
        return unsafe Self.make(shelf, size)
    }

    @inline(never)
    private static func make(_ shelf: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        let room = shelf < shelves ? room(shelf) : size
        let block: UnsafeMutableRawPointer?
        if shelf == shelves - 1 {
            let pages = unsafe mmap(nil, pageStart + room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            unsafe block = unsafe pages == MAP_FAILED ? nil : pages.map { unsafe $0 + (pageStart - 16) }
        } else {
            unsafe block = unsafe malloc(room + 16)
        }
        guard let block = unsafe block else { return nil }
        unsafe block.storeBytes(of: shelf, as: Int.self)
        unsafe block.storeBytes(of: room, toByteOffset: 8, as: Int.self)
        return unsafe block + 16
    }

    /// Takes back what `take` gave, of whichever thread's pool.
    @inline(__always)
    public func give(_ node: UnsafeMutableRawPointer) {
        let shelf = unsafe (node - 16).load(as: Int.self)
        let room = unsafe (node - 8).load(as: Int.self)
        if unsafe room >= core.pointee.wipesFrom { unsafe explicit_bzero(node, room) }
        guard shelf < Self.shelves, unsafe core.pointee.shelves[shelf].vacant > 0 else {
            return unsafe Self.discard(node, shelf)
        }
        unsafe node.storeBytes(of: core.pointee.shelves[shelf].free, as: UnsafeMutableRawPointer?.self)
        unsafe core.pointee.shelves[shelf].free = unsafe node
        unsafe core.pointee.shelves[shelf].vacant -= 1
    }

    @inline(never)
    private static func discard(_ node: UnsafeMutableRawPointer, _ shelf: Int) {
        if shelf == shelves - 1 { unsafe munmap(node - pageStart, pageStart + room(shelf)) } else { unsafe free(node - 16) }
    }

    /// The same bytes with room for `size`; nil when there is no memory, and `node` stays.
    public func resize(_ node: UnsafeMutableRawPointer, _ size: Int) -> UnsafeMutableRawPointer? {
        let room = unsafe (node - 8).load(as: Int.self)
        if size <= room { return unsafe node }
        guard let larger = unsafe take(size) else { return nil }
        unsafe memcpy(larger, node, room)
        unsafe give(node)
        return unsafe larger
    }

    /// Gives all that is kept back to malloc; what is out stays good.
    public func trim() {
        for shelf in 0..<Self.shelves {
            while let node = unsafe core.pointee.shelves[shelf].free {
                unsafe core.pointee.shelves[shelf].free = unsafe node.load(as: UnsafeMutableRawPointer?.self)
                unsafe core.pointee.shelves[shelf].vacant += 1
                unsafe Self.discard(node, shelf)
            }
        }
    }

    /// As `trim`. The handle and its copies are not to be used any more.
    public func end() {
        trim()
        unsafe core.deallocate()
    }
}
