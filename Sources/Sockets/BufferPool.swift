internal import Glibc

/// Blocks of 256, 384 and 512 bytes and of 1, 4, 16, 64, 256 and 1,024 KiB kept for reuse by one worker. A handle: copies share the pool.
///
/// A trivial struct around a pointer and not a class, so that passing it costs no retain. It lives as long as its thread.
@safe
public struct BufferPool {
    @safe struct Shelf {
        var free: UnsafeMutableRawPointer?
        var count = 0
    }
    static var classes: Int { 9 }
    let shelves: UnsafeMutablePointer<Shelf>

    /// An empty pool.
    public init() {
        unsafe shelves = .allocate(capacity: Self.classes)
        unsafe shelves.initialize(repeating: Shelf(), count: Self.classes)
    }

    @inline(__always) static func shelf(for size: Int) -> Int {
        size <= 512 ? (size <= 256 ? 0 : size <= 384 ? 1 : 2) : size <= 1024 ? 3 : (63 - (size - 1).leadingZeroBitCount - 10) / 2 + 4
    }
    @inline(__always) static func room(_ shelf: Int) -> Int { shelf < 3 ? 256 + 128 * shelf : 1024 << (2 * (shelf - 3)) }
    /// Blocks kept per shelf: under 4 MiB of small ones, a few of each larger size.
    @inline(__always) static func keep(_ shelf: Int) -> Int { shelf < 4 ? 1024 : shelf == 4 ? 256 : shelf == 5 ? 64 : 8 }

    /// A block of at least `size` bytes, and its capacity.
    public func take(_ size: Int) -> (UnsafeMutableRawPointer, Int) {
        let shelf = Self.shelf(for: size)
        guard shelf < Self.classes else { return (unsafe Self.allocate(size), size) }
        let capacity = Self.room(shelf)
        guard let block = unsafe shelves[shelf].free else { return (unsafe Self.allocate(capacity), capacity) }
        unsafe shelves[shelf].free = unsafe block.load(as: UnsafeMutableRawPointer?.self)
        unsafe shelves[shelf].count -= 1
        return unsafe (block, capacity)
    }

    /// Takes a block back, which has that capacity.
    public func give(_ block: UnsafeMutableRawPointer, _ capacity: Int) {
        let shelf = Self.shelf(for: capacity)
        guard shelf < Self.classes, unsafe shelves[shelf].count < Self.keep(shelf) else { return unsafe free(block) }
        unsafe block.storeBytes(of: shelves[shelf].free, as: UnsafeMutableRawPointer?.self)
        unsafe shelves[shelf].free = unsafe block
        unsafe shelves[shelf].count += 1
    }

    /// Gives all that is kept back to malloc; what is out stays good.
    public func trim() {
        for shelf in 0..<Self.classes {
            while let block = unsafe shelves[shelf].free {
                unsafe shelves[shelf].free = unsafe block.load(as: UnsafeMutableRawPointer?.self)
                unsafe free(block)
            }
            unsafe shelves[shelf].count = 0
        }
    }

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        guard let block = unsafe malloc(size) else { fatalError("out of memory: \(size) bytes") }
        return unsafe block
    }
}
