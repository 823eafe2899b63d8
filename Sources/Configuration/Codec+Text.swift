internal import Credentials
internal import JSON

/// Texts with a meaning of their own.
extension Codec where Field == String {
    /// An absolute path. A relative one would mean something else for every folder a command is started in.
    static var path: Codec { checked("an absolute path, starting with '/'") { $0.hasPrefix("/") && !$0.utf8.contains(0) } }

    /// A profile's id.
    static var profileID: Codec { checked("a profile's id, such as \"anthropic:work\"", ProfileText.isID) }

    /// An agent's id: the name of its folder, in its normal form already, so that nobody wonders which folder is meant.
    static var agentID: Codec {
        checked("an agent's id: 1 to 64 of a-z, 0-9, '-' and '_', no '-' at either end") { AgentID.normalised($0) == $0 }
    }

    /// A host without its port, lower case.
    static var host: Codec {
        let base = checked("a host without its port, such as \"devbox.local\"") { HostText.normalised($0) != nil }
        return Codec(decode: { base.decode($0, &$1).flatMap(HostText.normalised) }, encode: base.encode)
    }

    /// A browser's origin.
    static var origin: Codec {
        checked("an origin such as \"http://localhost:3000\", lower case, without a path", PageOrigin.isAdmissible)
    }

    /// The id of a provider, in its normal form. Whether there is one is looked at when all files have been read.
    static var providerID: Codec {
        let base = checked("a provider's id, such as \"anthropic\"") { ProviderSchema.normalisedID($0) != nil }
        return Codec(decode: { base.decode($0, &$1).flatMap(ProviderSchema.normalisedID) }, encode: base.encode)
    }
}

/// The names of profiles.
enum ProfileText {
    /// 1 to 256 octets without control characters (DESIGN §5).
    static func isID(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
    }
}

extension HostText {
    /// A host without its port, lower case and without brackets; `nil` when it is none.
    static func normalised(_ text: String) -> String? {
        if isIPv6(text.lowercased()) { return text.lowercased() }
        guard let (host, port) = split(text[...]), port == nil else { return nil }
        return host
    }
}
