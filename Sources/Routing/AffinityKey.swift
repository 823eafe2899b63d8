/// Names a session, or something that a provider keeps, in 128 bits made of the agent, the provider and the client's own id.
///
/// The id itself is kept nowhere. Two lanes with different steps, each ended by MurmurHash3's finaliser: collisions by chance are out of
/// the question, and nobody gains by making one, since whoever may send an id may as well send another's.
public struct AffinityKey: Hashable, Sendable {
    /// The two halves; both 0: none.
    public private(set) var high: UInt64, low: UInt64

    /// No session.
    public static var none: AffinityKey { AffinityKey(high: 0, low: 0) }

    /// A key from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// What kind of thing an id names: the same id of two kinds is two keys.
    public enum Kind: UInt8, Sendable {
        /// A conversation of a client.
        case session = 1
        /// An answer, file, batch or conversation that a provider keeps.
        case stored = 2
    }

    /// The key of an id.
    ///
    /// - Parameter salt: differs from one installation to the next, so that the file of keys tells nothing elsewhere.
    public init(_ kind: Kind, salt: UInt64, agent: String, provider: String, id: Span<UInt8>) {
        self.init(high: 0xcbf2_9ce4_8422_2325 ^ salt, low: 0x9e37_79b9_7f4a_7c15 &+ salt)
        add(kind.rawValue)
        for byte in agent.utf8 { add(byte) }
        add(0xFF)  // in no UTF-8: what stands before it cannot run into what follows
        for byte in provider.utf8 { add(byte) }
        add(0xFF)
        for at in id.indices { add(id[at]) }
        high = Self.finished(high ^ low.byteSwapped)
        low = Self.finished(low &+ high)
        if low == 0 { low = 1 }
    }

    @inline(__always)
    private mutating func add(_ byte: UInt8) {
        high = (high ^ UInt64(byte)) &* 0x100_0000_01b3
        low = (low &+ UInt64(byte) &+ 1) &* 0x2545_f491_4f6c_dd1d
        low ^= low >> 29
    }

    @inline(__always)
    private static func finished(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 33) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ value >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ value >> 33
    }
}

extension AffinityKey: CustomStringConvertible {
    /// 32 hexadecimal digits.
    public var description: String { Self.digits(high) + Self.digits(low) }

    /// The key that 32 hexadecimal digits spell.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    private static func digits(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
