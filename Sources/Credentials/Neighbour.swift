import Digest
public import Files
import JSON

/// The other program that a sink is shared with, as far as its locks go (spec/credential-formats.md §0, §2.4, §2.5).
public struct Neighbour: Sendable, Equatable {
    /// What it locks the store with.
    public let form: LockName.Form
    /// It refreshes under the store's lock alone, so that a refresh of ours has to hold that as well.
    public let refreshesUnderStoreLock: Bool
    /// It refreshes under locks of its own (§2.5).
    public let hasRefreshLocks: Bool

    /// The neighbour that has written its `version` (nil: not known) into the settings in a folder called `folder`.
    public init(folder: String, version: String?) {
        let version = version.flatMap(Self.numbers)
        let changedForm = [2026, 2, 13]
        let isOldest = version.map { $0.lexicographicallyPrecedes(changedForm) } ?? [".clawdbot", ".moltbot"].contains(folder)
        form = isOldest ? .directory : .file
        // The release in April is not known to the day: around it, both.
        hasRefreshLocks = !isOldest && (version.map { !$0.lexicographicallyPrecedes([2026, 4]) } ?? true)
        refreshesUnderStoreLock = version.map { $0.lexicographicallyPrecedes([2026, 5]) } ?? true
    }

    /// A neighbour of which only a lock is known.
    init(form: LockName.Form) {
        self.form = form
        hasRefreshLocks = form == .file
        refreshesUnderStoreLock = true
    }

    /// Who shares the folder `sink`; nil when it is ours alone, which is what a folder is without a neighbour's name or settings.
    static func sharing(_ sink: String) -> Neighbour? {
        let folder = sink.split(separator: "/").last.map(String.init) ?? ""
        guard settingsPath(in: sink) != nil || folders.contains(folder) else { return nil }
        return Neighbour(folder: folder, version: settings(in: sink)?["meta"]?["lastTouchedVersion"]?.string)
    }

    /// The neighbour's settings in `sink`; nil when there are none, or none that can be read.
    static func settings(in sink: String) -> Value? {
        guard let path = settingsPath(in: sink), let bytes = try? TrustedFile.read(path) else { return nil }
        return try? JSON5Reader.parse(bytes).plain
    }

    private static func settingsPath(in sink: String) -> String? {
        settingsNames.lazy.map { "\(sink)/\($0)" }.first { PrivateFile.identity(of: $0) != nil }
    }

    /// `2026.1.27-beta.1` as 2026, 1, 27; nil when it does not start with a year.
    private static func numbers(_ version: String) -> [Int]? {
        let release = version.drop { $0 == "v" }.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let numbers = release.split(separator: ".").compactMap { Int($0) }
        return numbers.count >= 2 ? numbers : nil
    }

    private static let folders = [".openclaw", ".moltbot", ".clawdbot", ".moldbot"]
    /// In the order in which the neighbours themselves look for them.
    private static let settingsNames = ["openclaw.json", "moltbot.json", "clawdbot.json", "moldbot.json"]
}

/// The names of the neighbours' locks of one profile's refresh (§2.5), without `.lock`.
enum RefreshLockName {
    /// SPRING's: the hash of provider and id with a NUL between.
    static func sha256(provider: String, profileID: String) -> String {
        "sha256-" + Hexadecimal.encode(SHA256.hash("\(provider)\0\(profileID)"))
    }

    /// NEW's: two 64-bit hashes over `JSON.stringify([provider, profileId])`.
    static func doubleHash(provider: String, profileID: String) -> String {
        let prime: UInt64 = 0x100_0000_01b3
        var left: UInt64 = 0xcbf2_9ce4_8422_2325
        var right: UInt64 = 0x9ae1_6a3b_2f90_404f
        for byte in Writer.compact([.string(provider), .string(profileID)]) {
            left = (left ^ UInt64(byte)) &* prime
            right = (right ^ (UInt64(byte) &+ 0x9e37_79b9_7f4a_7c15)) &* prime
        }
        return "lock-"
            + [left, right].map { number in
                let digits = String(number, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
    }
}
