internal import Credentials
internal import Glibc
internal import Sockets

/// Finds a profile's secrets in a body that comes in pieces, and overwrites each by as many other bytes.
///
/// A piece goes on once it has been looked at, but for an end that may be the beginning of a secret:
///
///     no such key: sk-ant-oat01-9fK3…b7     all of it is here: no such key: **********************
///     no such key: sk-an                    `sk-an` waits for what comes next, or for the end
struct EchoMask: ~Copyable {
    /// Of a shorter one, what is found would be chance.
    static let shortest = 8
    private static let cover = UInt8(ascii: "*")

    /// What has come and has not gone on.
    private var text: ByteQueue
    private var secrets: [Secret] = []
    /// How many bytes at the end of `text` wait.
    private var held = 0

    init(pool: BufferPool) { text = ByteQueue(pool: pool) }

    var isActive: Bool { !secrets.isEmpty }

    /// Looks for these, each of at least `shortest` bytes, from now on.
    mutating func begin(_ secrets: [Secret]) { self.secrets = secrets }

    /// Takes the next piece; how many secrets ended in it.
    mutating func feed(_ run: RawSpan) -> Int {
        text.isSecret = true
        text.append(run)
        held = 0
        var found = 0
        for secret in secrets {
            let (count, rest) = unsafe Self.cover(secret, in: text.mutableBytes)
            found += count
            held = max(held, unsafe Self.beginning(of: secret, atEndOf: rest))
        }
        return found
    }

    /// Nothing more comes: what waits is no secret, but for most of one whose end was cut off. How many were.
    mutating func end() -> Int {
        var found = 0
        for secret in secrets where held > 0 {
            let bytes = unsafe text.mutableBytes
            let count = unsafe Self.beginning(of: secret, atEndOf: UnsafeRawBufferPointer(bytes))
            guard count * 2 >= secret.count else { continue }
            unsafe memset(bytes.baseAddress.unsafelyUnwrapped + bytes.count - count, Int32(Self.cover), count)
            found += 1
        }
        held = 0
        return found
    }

    /// What may go on; valid until the next call.
    var ready: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: text.bytes.dropLast(held)) }
    /// It has gone on.
    mutating func passed() { text.consume(text.count - held) }

    /// Forgets the body.
    mutating func clear() {
        guard isActive else { return }
        text.wipe()
        secrets = []
        held = 0
    }

    // MARK: Bytes

    /// Overwrites the secret wherever it stands in `bytes`: how often that was, and what follows the last one.
    static func cover(_ secret: Secret, in bytes: UnsafeMutableRawBufferPointer) -> (count: Int, rest: UnsafeRawBufferPointer) {
        var count = 0
        var rest = UnsafeRawBufferPointer(bytes)
        unsafe secret.withBytes { wanted in
            while let at = unsafe find(wanted, in: rest) {
                let start = bytes.count - rest.count + at
                unsafe memset(bytes.baseAddress.unsafelyUnwrapped + start, Int32(cover), wanted.count)
                unsafe rest = UnsafeRawBufferPointer(rebasing: rest[(at + wanted.count)...])
                count += 1
            }
        }
        return unsafe (count, rest)
    }

    private static func find(_ wanted: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer) -> Int? {
        guard let base = text.baseAddress, let pattern = wanted.baseAddress, let first = unsafe wanted.first else { return nil }
        var at = 0
        while text.count - at >= wanted.count {
            guard let hit = unsafe memchr(base + at, Int32(first), text.count - at - wanted.count + 1) else { return nil }
            at = unsafe UnsafeRawPointer(hit) - base
            if unsafe memcmp(base + at, pattern, wanted.count) == 0 { return at }
            at += 1
        }
        return nil
    }

    /// How many of the secret's first bytes, not all, are the text's last.
    private static func beginning(of secret: Secret, atEndOf text: UnsafeRawBufferPointer) -> Int {
        unsafe secret.withBytes { wanted in
            var count = min(wanted.count - 1, text.count)
            guard let base = text.baseAddress, let pattern = wanted.baseAddress else { return 0 }
            while count > 0, unsafe memcmp(base + text.count - count, pattern, count) != 0 { count -= 1 }
            return count
        }
    }
}
