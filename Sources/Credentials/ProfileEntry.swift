import JSON

/// How one entry of `profiles` is read (spec/credential-formats.md §1.2-1.3): tolerant of what others wrote, strict about what goes on
/// a request. An entry that cannot be used is named in a problem and skipped; the others are not affected.
enum ProfileEntry {
    /// The profile in `value`, or why there is none; both for a profile that stays known but cannot be used.
    static func read(id: String, value: Value) -> (profile: Profile?, problem: StoreProblem?) {
        guard isAcceptable(id: id) else {
            return skipped(id, .invalidID, "has an id that is empty, longer than 256 octets or holds a control character")
        }
        guard let entry = value.object else { return skipped(id, .notAnObject, "is \(value.kindName), not an object") }
        guard let kind = kind(of: entry) else { return skipped(id, .invalidType, "has a `type` that is none of api_key, token, oauth") }
        guard let provider = entry["provider"]?.string, !ProviderName.normalised(provider).isEmpty else {
            return skipped(id, .missingProvider, "has no `provider`")
        }
        do {
            let profile = try profile(id: id, provider: provider, kind: kind, entry: entry)
            return (profile, profile.hasUnresolvedReference ? unresolved(id) : nil)
        } catch {
            return skipped(id, .unusableSecret, error.reason)
        }
    }

    /// Whether a profile may be called `id`.
    static func isAcceptable(id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 256 && id.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    /// `type`, or its alias `mode`; `apiKey` is an alias of `api_key`.
    static func kind(of entry: Object) -> Profile.Kind? {
        guard let name = (entry["type"] ?? entry["mode"])?.string else { return nil }
        return name == "apiKey" ? .apiKey : Profile.Kind(rawValue: name)
    }

    /// Where each kind keeps its secret: canonical name, aliases, reference.
    static func secretMembers(of kind: Profile.Kind) -> (names: [String], reference: String?) {
        switch kind {
        case .apiKey: (["key", "apiKey"], "keyRef")
        case .token: (["token"], "tokenRef")
        case .oauth: (["access"], nil)
        }
    }

    private static func profile(id: String, provider: String, kind: Profile.Kind, entry: Object) throws(Unusable) -> Profile {
        let members = secretMembers(of: kind)
        let value = members.names.lazy.compactMap { entry[$0] }.first { !$0.isNull && $0.string?.isBlank != true }
        let isReference = members.reference != nil && (value.map(isReference) ?? (entry[members.reference ?? ""]?.isNull == false))
        let secret = isReference ? nil : try secret(value, called: members.names[0])
        let refresh = kind == .oauth ? try self.secret(entry["refresh"], called: "refresh") : nil
        // An entry with a secret of its own is no other program's, whatever else is left in it.
        if secret == nil, refresh == nil, !isReference, let overlay = entry["overlay"], !overlay.isNull {
            guard let overlay = Overlay(overlay), kind != .oauth else {
                throw Unusable(reason: "has an `overlay` that cannot be understood")
            }
            return Profile(id: id, provider: provider, kind: kind, secret: nil, overlay: overlay)
        }
        if secret == nil, refresh == nil, !isReference, kind == .token, entry["onDemand"]?.bool == true {
            var profile = Profile(
                id: id, provider: provider, kind: kind, secret: nil, proxy: try proxy(entry["proxy"]),
                allowedHosts: try allowedHosts(entry["allowedHosts"]))
            profile.isOnDemand = true
            return profile
        }
        let (stated, isInvalid) = expires(entry["expires"])
        let account = try accountID(entry["accountId"])
        let email = entry["email"]?.string
        // Decoding tokens would be half of the time a store takes to load: only those that are asked something.
        let isAsked = kind == .oauth && (stated == nil || account == nil || email == nil)
        let claims = isAsked ? secret.flatMap { AccessTokenClaims($0) } : nil
        var profile = Profile(
            id: id, provider: provider, kind: kind, secret: secret, refresh: refresh, expires: stated ?? claims?.expiry,
            hasInvalidExpires: isInvalid && (kind != .oauth || claims?.expiry == nil),
            accountID: account ?? claims?.accountID.flatMap { Secret($0)?.revealed },
            email: email ?? claims?.email, hasUnresolvedReference: isReference, proxy: try proxy(entry["proxy"]),
            allowedHosts: try allowedHosts(entry["allowedHosts"]))
        if kind == .oauth { profile.facts = LoginFacts(entry) }
        return profile
    }

    /// A list that cannot be understood is none to go by.
    private static func allowedHosts(_ value: Value?) throws(Unusable) -> [String]? {
        guard let value, !value.isNull else { return nil }
        guard let hosts = value.array, let names = Optional(hosts.compactMap(\.string)), names.count == hosts.count else {
            throw Unusable(reason: "has `allowedHosts` that are no list of host names")
        }
        return names.map { $0.lowercased() }
    }

    /// A SecretRef object where a string belongs, or upstream's `${NAME}` (§1.8).
    private static func isReference(_ value: Value) -> Bool {
        if value.object != nil { return true }
        return SecretReference(value) != nil
    }

    private static func secret(_ value: Value?, called name: String) throws(Unusable) -> Secret? {
        guard let value, !value.isNull else { return nil }
        guard let text = value.string else { throw Unusable(reason: "has \(value.kindName) as `\(name)` where a string belongs") }
        if text.isBlank { return nil }
        guard let secret = Secret(text) else {
            throw Unusable(
                reason: "has a `\(name)` with a space, a line break or another byte outside visible ASCII, which cannot be sent in a header"
            )
        }
        return secret
    }

    /// The account goes into a header and so obeys the rule for secrets.
    private static func accountID(_ value: Value?) throws(Unusable) -> String? {
        guard let value, !value.isNull, value.string?.isBlank != true else { return nil }
        guard let text = value.string.flatMap({ Secret($0)?.revealed }) else {
            throw Unusable(reason: "has an `accountId` that is no string of visible ASCII, which cannot be sent in a header")
        }
        return text
    }

    /// A proxy that cannot be understood is no reason to go without: somebody wanted not to be seen.
    private static func proxy(_ value: Value?) throws(Unusable) -> OutboundProxy? {
        guard let value, !value.isNull else { return nil }
        guard let proxy = value.string.flatMap(OutboundProxy.init) else {
            throw Unusable(reason: "has a `proxy` that is not \(OutboundProxy.expectation)")
        }
        return proxy
    }

    /// Positive ms since 1970; a fraction is cut. Absent is valid, anything else is not.
    private static func expires(_ value: Value?) -> (expires: Int64?, isInvalid: Bool) {
        guard let value, !value.isNull else { return (nil, false) }
        guard let number = value.int64 ?? value.double.flatMap({ Int64(exactly: $0.rounded(.down)) }), number > 0 else {
            return (nil, true)
        }
        return (number, false)
    }

    private static func skipped(_ id: String, _ code: StoreProblem.Code, _ what: String) -> (Profile?, StoreProblem?) {
        (nil, StoreProblem(profileID: id, code: code, message: "The profile \(printable(id)) \(what); it is skipped."))
    }

    private static func unresolved(_ id: String) -> StoreProblem {
        StoreProblem(
            profileID: id, code: .unresolvedReference,
            message:
                "The profile \(printable(id)) names its secret by reference (keyRef, tokenRef or ${NAME}), which has not been followed."
        )
    }

    /// An id that is safe to print: it may be the very thing that is wrong.
    static func printable(_ id: String) -> String {
        let shown = String(String.UnicodeScalarView(id.unicodeScalars.prefix(64).filter { $0.properties.generalCategory != .control }))
        return shown.isEmpty ? "(no name)" : shown
    }

    /// Why an entry cannot be used, as the end of a sentence.
    private struct Unusable: Error {
        let reason: String
    }
}

extension String {
    /// Empty, or white space only.
    var isBlank: Bool { Substring(self).trimmingWhitespace().isEmpty }
}
