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
        .value("limitHeaders", \.limitHeaders, .list(.choice(LimitFamily.allCases))),
        .value("errorShape", \.errorShape, .choice(ErrorShape.allCases)),
        .value("needsCredential", \.needsCredential, .truth),
        .value("webSocket", \.webSocket, .truth),
        .value("http2", \.http2, .truth),
        .value("privateAddresses", \.privateAddresses, .truth),
        .value("environmentKeys", \.environmentKeys, .list(.checked("the name of an environment variable", isVariable))),
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

    private static let prefix = Codec.checked("visible characters and spaces, such as \"Bearer \"") {
        FieldText.isValue($0) && $0.utf8.count <= 32
    }

    private static let oauth = Schema<ProviderEntry.OAuthEntry>([
        .optional("tokenURL", \.tokenURL, endpoint),
        .optional("authorizeURL", \.authorizeURL, endpoint),
        .optional("clientID", \.clientID, .text("the public client id")),
        .optional("clientSecretEnvironment", \.clientSecretEnvironment, .checked("the name of an environment variable", isVariable)),
        .value("scopes", \.scopes, .list(.checked("a scope: visible characters without spaces", isFragment))),
        .value("bodyForm", \.bodyForm, .choice([.form, .json])),
        .value("retryInDoubt", \.retryInDoubt, .choice([.once, .never])),
        .optional("caFile", \.caFile, .path),
        .optionalGroup("login", \.login, empty: ProviderEntry.LoginEntry(), login),
    ])

    private static let mint = Schema<ProviderEntry.MintEntry>([
        .optional("url", \.url, endpoint),
        .value("method", \.method, .choice(Mint.Method.allCases)),
        .value("header", \.header, fieldName),
        .optional("prefix", \.prefix, prefix),
        .value("parameters", \.parameters, .list(.checked("\"name=value\" in visible characters") { LoginParameter($0) != nil })),
        .value("bodyForm", \.bodyForm, .choice([.form, .json])),
        .value("tokenField", \.tokenField, .checked("members of the answer, dots between them", isFragment)),
        .value("expiryField", \.expiryField, .checked("members of the answer, dots between them", isFragment)),
        .optional("caFile", \.caFile, .path),
    ])

    private static let login = Schema<ProviderEntry.LoginEntry>([
        .optional(
            "redirectURI", \.redirectURI,
            .checked("an http URL of this machine with its port, such as \"http://localhost:1455/auth/callback\"") {
                LoopbackRedirect($0) != nil
            }),
        .value("parameters", \.parameters, .list(.checked("\"name=value\" in visible characters") { LoginParameter($0) != nil })),
        .optionalGroup("device", \.device, empty: ProviderEntry.DeviceEntry(), device),
    ])

    private static let device = Schema<ProviderEntry.DeviceEntry>([
        .value("form", \.form, .choice(ProviderEntry.DeviceForm.allCases)),
        .optional("startURL", \.startURL, endpoint),
        .optional("pollURL", \.pollURL, endpoint),
        .optional("pageURL", \.pageURL, endpoint),
        .optional("redirectURI", \.redirectURI, endpoint),
    ])

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

    private static let codes = Codec<[String]>.list(.text("an error code of the provider"))

    /// A base URL in its normal form, `{region}` kept.
    private static let baseURL = Codec<String>(
        decode: { value, reading in
            guard let text = value.string else {
                reading.mismatch(value, expected: BaseURL.Flaw.scheme.expectation)
                return nil
            }
            do throws(BaseURL.Flaw) {
                _ = try BaseURL(text.replacing(regionMark, with: "region"))
                return text
            } catch {
                reading.refuse(value, expected: error.expectation)
                return nil
            }
        },
        encode: { .string($0) }, shape: ["type": "string", "pattern": "^https?://[^?#@]+$"])

    static let regionMark = "{region}"

    /// An endpoint in the strict form that OAuth accepts, so that a file's flaw shows at load and not at the first refresh.
    private static let endpoint = Codec.checked("a URL that starts with https:// (http:// for this machine only), without user name or '#'")
    {
        EndpointURL($0) != nil
    }

    private static let fieldName = Codec<String>(
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

    private static func isPrefix(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count > 1 && !text.hasSuffix("/") && !text.contains("?") && isFragment(text)
    }

    private static func isFragment(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    private static func isVariable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x41...0x5a).contains($0 & ~0x20) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }
}
