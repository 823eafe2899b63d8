/// A value that is needed for a while: it lies in a block of the worker's pool, and takes no room when it is not there.
@safe
public struct Pooled<Value: BitwiseCopyable>: ~Copyable {
    private var place: UnsafeMutablePointer<Value>?
    private var capacity = 0
    private let pool: BufferPool

    /// Nothing is there.
    public init(pool: BufferPool) { self.pool = pool }
    deinit { if let place = unsafe place { unsafe pool.give(place, capacity) } }

    /// Whether the value is there.
    public var isHeld: Bool { @inline(__always) get { unsafe place != nil } }

    /// Puts the value there, in the place of the one that was.
    public mutating func hold(_ value: Value) {
        if unsafe place == nil {
            let (block, room) = unsafe pool.take(MemoryLayout<Value>.stride)
            unsafe place = block.bindMemory(to: Value.self, capacity: 1)
            capacity = room
        }
        unsafe place.unsafelyUnwrapped.initialize(to: value)
    }
    /// Gives its room back.
    public mutating func release() {
        guard let place = unsafe place else { return }
        unsafe pool.give(place, capacity)
        unsafe self.place = nil
    }

    /// The value, which must be there.
    public var value: Value {
        @inline(__always) unsafeAddress {
            guard let place = unsafe place else { preconditionFailure("nothing is held") }
            return unsafe UnsafePointer(place)
        }
        @inline(__always) unsafeMutableAddress {
            guard let place = unsafe place else { preconditionFailure("nothing is held") }
            return unsafe place
        }
    }
}
