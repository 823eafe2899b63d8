import Synchronization

/// The canary: whatever is written for people (logs, errors, what commands print) is compared with every secret that this process holds, and
/// none gets through. It should never find one, because no secret is put into a text in the first place.
public enum KnownSecrets {
    /// What stands in a secret's place.
    public static let placeholder = "‹secret withheld›"
    /// Shorter ones are not looked for: they would be found in innocent words.
    static let shortest = 16

    private static let registry = Mutex(Registry())

    /// `text` without the secrets in it.
    public static func masked(_ text: String) -> String {
        guard text.utf8.count >= shortest else { return text }
        let bytes = Array(text.utf8)
        let found = registry.withLock { $0.ranges(in: bytes) }
        guard !found.isEmpty else { return text }
        var masked: [UInt8] = []
        var position = 0
        for range in found.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound > position {
            masked += bytes[position..<max(position, range.lowerBound)]
            masked += Array(placeholder.utf8)
            position = range.upperBound
        }
        return String(decoding: masked + bytes[position...], as: UTF8.self)
    }

    /// Looks for these bytes from now on, until ``remove(_:)``; they must stay where they are till then.
    static func add(_ secret: UnsafeRawBufferPointer) {
        guard secret.count >= shortest else { return }
        let entry = unsafe Entry(bytes: secret)
        registry.withLock { $0.add(entry) }
    }

    /// Looks for them no more.
    static func remove(_ secret: UnsafeRawBufferPointer) {
        guard secret.count >= shortest else { return }
        let entry = unsafe Entry(bytes: secret)
        registry.withLock { $0.remove(entry) }
    }

    /// A secret.
    @safe
    private struct Entry: Sendable {
        /// They are there, and only read, for as long as it is registered.
        nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

        /// Its last eight bytes: its beginning is the same for all keys of a provider.
        var end: UInt64 { unsafe bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }

        func ends(_ text: [UInt8], at end: Int) -> Bool {
            let start = unsafe end - bytes.count
            return unsafe start >= 0 && bytes.elementsEqual(text[start..<end])
        }
    }

    /// All secrets by their ends.
    private struct Registry {
        private var entries: [UInt64: [Entry]] = [:]

        mutating func add(_ entry: Entry) { entries[entry.end, default: []].append(entry) }

        mutating func remove(_ entry: Entry) {
            let end = entry.end
            entries[end]?.removeAll { unsafe $0.bytes.baseAddress == entry.bytes.baseAddress }
            if entries[end]?.isEmpty == true { entries[end] = nil }
        }

        /// Where in `text` a secret stands. Only runs of bytes that a secret may have are looked at, by their last eight.
        func ranges(in text: [UInt8]) -> [Range<Int>] {
            guard !entries.isEmpty else { return [] }
            var found: [Range<Int>] = []
            var (last, run): (UInt64, Int) = (0, 0)
            for (index, byte) in text.enumerated() {
                run = Secret.accepts(byte) ? run + 1 : 0
                last = last << 8 | UInt64(byte)
                guard run >= KnownSecrets.shortest, let candidates = entries[last] else { continue }
                for entry in candidates where entry.ends(text, at: index + 1) {
                    found.append(unsafe index + 1 - entry.bytes.count..<index + 1)
                }
            }
            return found
        }
    }
}
