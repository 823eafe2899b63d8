import Digest
import Synchronization

/// A key or token. It can be read on purpose only (``withBytes(_:)``, ``revealed``): every way of printing a value shows a placeholder.
/// Its bytes live in one allocation of ours, wiped when the last reference goes.
///
/// Only visible ASCII (0x21-0x7e) is accepted: what an HTTP field value may carry without a doubt (RFC 9110 §5.5), so that no stored
/// token can end a header line and start another.
@safe public final class Secret: Sendable {
    /// Written once in `init` and wiped in `deinit`; in between it is only read, so threads may share it.
    private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer
    private let isWatched: Bool

    /// The first eight bytes of its SHA-256, 0 until somebody asks: a store of a thousand logins is loaded in half the time without.
    private let digest = Atomic<UInt64>(0)

    /// The first 16 hexadecimal digits of its SHA-256: names a token generation in journals, states and messages without telling it.
    public var fingerprint: String {
        var start = digest.load(ordering: .relaxed)
        if start == 0 {
            start = unsafe SHA256.hash(UnsafeRawBufferPointer(storage)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            digest.store(start, ordering: .relaxed)
        }
        let digits = String(start, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The secret with this text; nil when it is empty or holds a byte outside 0x21-0x7e.
    public convenience init?(_ text: String) {
        self.init(bytes: text.utf8)
    }

    /// The secret of these bytes; nil when there are none or one is outside 0x21-0x7e.
    public convenience init?(bytes: some Collection<UInt8>) { self.init(bytes, isWatched: true) }

    /// - Parameter isWatched: it is looked for in what is written for people. Not where the text is one that people must be shown.
    init?(_ bytes: some Collection<UInt8>, isWatched: Bool) {
        let inPlace = bytes.withContiguousStorageIfAvailable { unsafe Secret.copy(UnsafeRawBufferPointer($0)) }
        guard let storage = unsafe inPlace ?? Secret.copy(elements: bytes) else { return nil }
        unsafe self.storage = storage
        self.isWatched = isWatched
        if isWatched { unsafe KnownSecrets.add(UnsafeRawBufferPointer(storage)) }
    }

    /// A copy of our own of what may be a secret. A store has thousands of bytes for each profile: they are looked at as a whole.
    private static func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer? {
        // Without a branch a byte, so that several are looked at in one instruction.
        guard unsafe !bytes.isEmpty, unsafe bytes.reduce(UInt8(0), { $0 | ($1 &- 0x21 > 0x5d ? 1 : 0) }) == 0 else { return nil }
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        unsafe storage.copyMemory(from: bytes)
        return unsafe storage
    }

    private static func copy(elements: some Collection<UInt8>) -> UnsafeMutableRawBufferPointer? {
        var bytes = Array(elements)
        defer { Memory.cleanse(&bytes) }
        return unsafe bytes.withUnsafeBytes { unsafe copy($0) }
    }

    deinit {
        if isWatched { unsafe KnownSecrets.remove(UnsafeRawBufferPointer(storage)) }
        unsafe Memory.cleanse(storage)
        unsafe storage.deallocate()
    }

    /// Its length in bytes.
    public var count: Int { unsafe storage.count }

    /// Calls `body` with the secret's bytes, valid during the call only.
    public func withBytes<Result, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(storage))
    }

    /// The secret as text. The copy is the caller's to keep short-lived; Swift cannot wipe a String.
    public var revealed: String {
        unsafe String(decoding: storage, as: UTF8.self)
    }

    /// Whether a secret may hold this byte.
    public static func accepts(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }
}

extension Secret: Equatable {
    /// Compares in a time that does not tell where two secrets of one length differ.
    public static func == (left: Secret, right: Secret) -> Bool {
        guard left !== right else { return true }
        var leftBytes = unsafe Array(left.storage)
        var rightBytes = unsafe Array(right.storage)
        defer {
            Memory.cleanse(&leftBytes)
            Memory.cleanse(&rightBytes)
        }
        return ConstantTime.equal(leftBytes, rightBytes)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The placeholder.
    public var description: String { "‹secret›" }
    /// The placeholder.
    public var debugDescription: String { description }
    /// No children: `dump` and reflection-based loggers find nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
