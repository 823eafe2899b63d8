/// A model's name as a number, so that cooldowns of one model can be told from another's without a string on a request's path.
public enum ModelKey {
    /// FNV-1a over the name's bytes as the client wrote them; never 0, which means that no model is known.
    public static func of(_ name: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for at in name.indices { hash = (hash ^ UInt64(name[at])) &* 0x100_0000_01b3 }
        return hash == 0 ? 1 : hash
    }

    /// The same of a string; 0 for an empty one.
    public static func of(_ name: String) -> UInt64 {
        name.isEmpty ? 0 : of(Array(name.utf8).span)
    }
}
