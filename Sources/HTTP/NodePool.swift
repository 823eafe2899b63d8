internal import CNGHTTP2
internal import Glibc

/// nghttp2's own allocations (streams, frames, field lists) from free lists of one worker: after warm-up it calls malloc no more.
///
/// Each block is preceded by 16 bytes that hold its shelf and its size. Sizes beyond the largest shelf go to malloc as they are. A handle:
/// copies share the lists, which live as long as their thread.
@safe
struct NodePool {
    /// 64 bytes to 32 KiB, doubling.
    private static var shelves: Int { 10 }
    /// What a shelf keeps at most: 1 MiB of each size.
    @inline(__always) private static func keep(_ shelf: Int) -> Int { (1 << 20) / (64 << shelf) }

    @safe struct Shelf {
        var free: UnsafeMutableRawPointer?
        var count = 0
    }
    private let lists: UnsafeMutablePointer<Shelf>

    init() {
        unsafe lists = .allocate(capacity: Self.shelves)
        unsafe lists.initialize(repeating: Shelf(), count: Self.shelves)
    }
    private init(_ user: UnsafeMutableRawPointer?) {
        unsafe lists = user.unsafelyUnwrapped.assumingMemoryBound(to: Shelf.self)
    }

    @inline(__always)
    private func take(_ size: Int) -> UnsafeMutableRawPointer? {
        let shelf = size <= 64 ? 0 : 58 - (size - 1).leadingZeroBitCount
        if shelf < Self.shelves, let node = unsafe lists[shelf].free {
            unsafe lists[shelf].free = unsafe node.load(as: UnsafeMutableRawPointer?.self)
            unsafe lists[shelf].count -= 1
            return unsafe node
        }
        let room = shelf < Self.shelves ? 64 << shelf : size
        guard let block = unsafe malloc(room + 16) else { return nil }
        unsafe block.storeBytes(of: shelf, as: Int.self)
        unsafe block.storeBytes(of: room, toByteOffset: 8, as: Int.self)
        return unsafe block + 16
    }

    @inline(__always)
    private func give(_ node: UnsafeMutableRawPointer) {
        let shelf = unsafe (node - 16).load(as: Int.self)
        // Frames have been made in the large ones, and heads with credentials are frames.
        let room = unsafe (node - 8).load(as: Int.self)
        if room >= 4 << 10 { unsafe explicit_bzero(node, room) }
        guard shelf < Self.shelves, unsafe lists[shelf].count < Self.keep(shelf) else { return unsafe free(node - 16) }
        unsafe node.storeBytes(of: lists[shelf].free, as: UnsafeMutableRawPointer?.self)
        unsafe lists[shelf].free = unsafe node
        unsafe lists[shelf].count += 1
    }

    private func resize(_ node: UnsafeMutableRawPointer, _ size: Int) -> UnsafeMutableRawPointer? {
        let room = unsafe (node - 8).load(as: Int.self)
        if size <= room { return unsafe node }
        guard let larger = unsafe take(size) else { return nil }
        unsafe memcpy(larger, node, room)
        unsafe give(node)
        return unsafe larger
    }

    /// The functions that nghttp2 calls instead of malloc and its family.
    var doors: nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: lists,
            malloc: { size, user in unsafe NodePool(user).take(size) },
            free: { node, user in if let node = unsafe node { unsafe NodePool(user).give(node) } },
            calloc: { count, size, user in
                let (total, isTooMuch) = count.multipliedReportingOverflow(by: size)
                guard !isTooMuch, let node = unsafe NodePool(user).take(total) else { return nil }
                unsafe memset(node, 0, total)
                return unsafe node
            },
            realloc: { node, size, user in
                guard let node = unsafe node else { return unsafe NodePool(user).take(size) }
                return unsafe NodePool(user).resize(node, size)
            })
    }
}
