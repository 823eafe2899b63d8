internal import Credentials
internal import JSON

/// What one provider may say: the built-in catalogue, `providers` in the settings, and the files in `providers/` alike.
enum ProviderSchema {
    static let provider = Schema<ProviderEntry>([
        .optional("baseURL", \.baseURL, baseURL),
        .optional("region", \.region, .checked("a region, such as \"eu-central-1\"", isRegion)),
        .value("stripPrefixes", \.stripPrefixes, .list(.checked("a path such as \"/v1\", without a final slash", isPrefix))),
        .optional("credentialsFrom", \.credentialsFrom, .providerID),
        .value("sendsElsewhere", \.sendsElsewhere, .truth),
        .group("auth", \.auth, auth),
        .optional("bearerWhenKeyContains", \.bearerWhenKeyContains, .checked("a few visible characters of a key", isFragment)),
        .optionalGroup("oauth", \.oauth, empty: ProviderEntry.OAuthEntry(), oauth),
        .optionalGroup("mint", \.mint, empty: ProviderEntry.MintEntry(), mint),
        .value("headers", \.headers, fields),
        .value("billing", \.billing, .choice(Billing.allCases)),
        .group("failover", \.failover, failover),
        .value("limitHeaders", \.limitHeaders, .list(limits, atMost: 8)),
        .value("errorShape", \.errorShape, .choice(ErrorShape.allCases)),
        .value("needsCredential", \.needsCredential, .truth),
        .value("webSocket", \.webSocket, .truth),
        .value("http2", \.http2, .truth),
        .value("privateAddresses", \.privateAddresses, .truth),
        .value("environmentKeys", \.environmentKeys, .list(variable)),
        .optionalGroup("exec", \.exec, empty: ProviderEntry.ExecEntry(), exec),
        .optionalGroup("apiKey", \.apiKey, empty: ProviderEntry.KeyEntry(), apiKey),
        .optionalGroup("setupToken", \.setupToken, empty: ProviderEntry.SetupTokenEntry(), setupToken),
    ])

    private static let auth = Schema<ProviderEntry.AuthEntry>([
        .optionalGroup(Profile.Kind.apiKey.rawValue, \.apiKey, empty: ProviderEntry.InjectionEntry(), injection),
        .optionalGroup(Profile.Kind.token.rawValue, \.token, empty: ProviderEntry.InjectionEntry(), injection),
        .optionalGroup(Profile.Kind.oauth.rawValue, \.oauth, empty: ProviderEntry.InjectionEntry(), injection),
    ])

    private static let injection = Schema<ProviderEntry.InjectionEntry>([
        .value("header", \.header, fieldName),
        .optional("prefix", \.prefix, prefix),
        .value("merge", \.merge, fields),
        .optional("accountHeader", \.accountHeader, fieldName),
        .optional("billing", \.billing, .choice(Billing.allCases)),
    ])

    static let prefix = Codec.checked("visible characters and spaces, such as \"Bearer \"") {
        FieldText.isValue($0) && $0.utf8.count <= 32
    }

    private static let failover = Schema<FailoverRules>([
        .value("nextCodes", \.nextCodes, codes),
        .value("entitlementCodes", \.entitlementCodes, codes),
        .value("billingCodes", \.billingCodes, codes),
        .value("quotaCodes", \.quotaCodes, codes),
        .value("rateCodes", \.rateCodes, codes),
        .value("overloadedCodes", \.overloadedCodes, codes),
        .value("authCodes", \.authCodes, codes),
        .value("modelCodes", \.modelCodes, codes),
        .optional(
            "entitlementAdvice", \.entitlementAdvice,
            .checked("a sentence in visible ASCII, at most 300 characters") { FieldText.isValue($0) && $0.utf8.count <= 300 }),
        .value("replay", \.replay, .choice(FailoverRules.Replay.allCases)),
        .value("streamErrors", \.streamErrors, .list(.text("the name of a stream event"))),
    ])

    /// A family by its name, or fields of a family's form that begin otherwise.
    private static let limits: Codec<LimitNames> = {
        struct Entry: Sendable {
            var form = LimitFamily.openai
            var prefix = ""
        }
        let word = Codec<LimitFamily>.choice(LimitFamily.allCases)
        let prefix = Codec<String>.checked("how the fields begin, such as \"x-acme-limit-\"") {
            FieldText.isName($0) && $0.hasSuffix("-") && $0.utf8.first.map { (0x61...0x7a).contains($0 | 0x20) } == true
        }
        let object = Codec<Entry>.object(
            Entry(), required: ["prefix", "form"], at: "limitHeaders",
            Schema([.value("prefix", \.prefix, prefix), .value("form", \.form, word)]))
        return Codec(
            decode: { value, reading in
                guard value.members != nil else { return word.decode(value, &reading).map { LimitNames($0) } }
                return object.decode(value, &reading).map { LimitNames($0.form, prefix: $0.prefix) }
            },
            encode: { names in
                guard !names.isUsual else { return word.encode(names.family) }
                return object.encode(Entry(form: names.family, prefix: String(decoding: names.prefix, as: UTF8.self)))
            }, shape: ["anyOf": [object.shape, word.shape]])
    }()

    private static let codes = Codec<[String]>.list(.text("an error code of the provider"))

    /// A base URL in its normal form, `{region}` kept.
    private static let baseURL = Codec<String>(
        decode: { value, reading in
            guard let text = value.string else {
                reading.mismatch(value, expected: BaseURL.Flaw.scheme.expectation)
                return nil
            }
            do throws(BaseURL.Flaw) {
                _ = try BaseURL(url(text, region: "region"))
                return text
            } catch {
                reading.refuse(value, expected: error.expectation)
                return nil
            }
        },
        encode: { .string($0) }, shape: ["type": "string", "pattern": "^https?://[^?#@]+$"])

    /// Where the region stands in a provider's URL.
    private static let regionMark = "{region}"

    /// Whether a URL says where the region stands.
    static func hasRegion(_ url: String) -> Bool {
        // Few have one, and the search for it is slow.
        url.utf8.contains(UInt8(ascii: "{")) && url.contains(regionMark)
    }

    /// The URL with `region` where it stands.
    static func url(_ text: String, region: String) -> String {
        hasRegion(text) ? text.replacing(regionMark, with: region) : text
    }

    static let variable = Codec.checked("the name of an environment variable", isVariable)

    /// An endpoint in the strict form that OAuth accepts, so that a file's flaw shows at load and not at the first refresh.
    static let endpoint = Codec.checked("a URL that starts with https:// (http:// for this machine only), without user name or '#'") {
        EndpointURL($0) != nil
    }

    static let fieldName = Codec<String>(
        decode: { value, reading in
            let expected = "the name of a header field that a request may carry, such as \"x-api-key\""
            guard let name = value.string, FieldText.isName(name), !FieldText.isFraming(name.lowercased()) else {
                reading.mismatch(value, expected: expected)
                return nil
            }
            return name.lowercased()
        },
        encode: { .string($0) }, shape: ["type": "string", "pattern": "^[0-9A-Za-z!#$%&'*+.^`|~-]{1,64}$"])

    /// Fields by lower-case name. A credential may not hide among them.
    private static let fields = Codec<[String: String]>.map(
        "a header field that is neither a credential's nor the connection's, such as \"x-title\"",
        {
            FieldText.isName($0) && !FieldText.isFraming($0.lowercased()) && !FieldText.isCredential($0.lowercased())
                ? $0.lowercased() : nil
        },
        to: .checked("a value of visible characters, spaces and tabs", FieldText.isValue))

    /// The normal form of a provider's id; `nil` when it cannot be one.
    static func normalisedID(_ text: String) -> String? {
        let id = ProviderName.normalised(text)
        guard let first = id.utf8.first, (0x61...0x7a).contains(first), id.utf8.count <= 64, !reserved.contains(id) else { return nil }
        let isPlain = id.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f
        }
        return isPlain ? id : nil
    }

    /// First segments of a path that mean something else (DESIGN §5).
    static let reserved: Set<String> = ["agents", "v1", "v1beta", "backend-api"]

    private static func isRegion(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
    }

    static func isPrefix(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count > 1 && !text.hasSuffix("/") && !text.contains("?") && isFragment(text)
    }

    static func isFragment(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    static func isVariable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x41...0x5a).contains($0 & ~0x20) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }
}
