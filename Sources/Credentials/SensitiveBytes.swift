import Digest

/// Bytes that hold a secret for a moment (a request, an answer, a journal record): wiped when the last reference goes, and also when
/// they move because they grow. For one thread at a time.
public final class SensitiveBytes {
    private var storage: [UInt8]

    /// No bytes yet, with room for `capacity`.
    public init(capacity: Int = 0) {
        storage = []
        storage.reserveCapacity(capacity)
    }

    /// The bytes of `text`.
    public convenience init(_ text: String) {
        self.init(capacity: text.utf8.count)
        append(text.utf8)
    }

    deinit { Memory.cleanse(&storage) }

    /// The bytes, to be read at once: as long as an array taken from here is alive, wiping happens to a copy.
    public var bytes: [UInt8] { storage }

    /// How many there are.
    public var count: Int { storage.count }

    /// Adds `bytes` at the end.
    public func append(_ bytes: some Collection<UInt8>) {
        if storage.count + bytes.count > storage.capacity { grow(to: max(storage.count + bytes.count, 2 * storage.capacity)) }
        storage += bytes
    }

    /// Calls `body` with the bytes in place.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe storage.withUnsafeBytes(body)
    }

    private func grow(to capacity: Int) {
        var larger: [UInt8] = []
        larger.reserveCapacity(capacity)
        larger += storage
        Memory.cleanse(&storage)
        storage = larger
    }
}
