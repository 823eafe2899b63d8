internal import Credentials
internal import JSON

/// The part of the schema that is about how credentials are had.
extension ProviderSchema {
    static let oauth = Schema<ProviderEntry.OAuthEntry>([
        .value("grant", \.grant, .choice(ProviderEntry.Grant.allCases)),
        .optional("issuer", \.issuer, endpoint),
        .value("endpointHosts", \.endpointHosts, .list(.host)),
        .optional("tokenURL", \.tokenURL, endpoint),
        .optional("authorizeURL", \.authorizeURL, endpoint),
        .optional("userinfoURL", \.userinfoURL, endpoint),
        .optional("clientID", \.clientID, .text("the public client id")),
        .optional("clientIDEnvironment", \.clientIDEnvironment, variable),
        .optional("clientSecretEnvironment", \.clientSecretEnvironment, variable),
        .value("clientSecretOptional", \.clientSecretOptional, .truth),
        .value("clientAuthentication", \.clientAuthentication, .choice(OAuthClient.Authentication.allCases)),
        .value("scopes", \.scopes, .list(.checked("a scope: visible characters without spaces", isFragment))),
        .value("tokenParameters", \.tokenParameters, parameters),
        .value("bodyForm", \.bodyForm, bodyForm),
        .group("answer", \.answer, answer),
        .value("refusedCodes", \.refusedCodes, .list(.text("an error code of the token endpoint"))),
        .value("refusedStatuses", \.refusedStatuses, .list(.count(400...499))),
        .value("retryInDoubt", \.retryInDoubt, .choice([.once, .never])),
        .optional("caFile", \.caFile, .path),
        .optionalGroup("login", \.login, empty: ProviderEntry.LoginEntry(), login),
    ])

    private static let bodyForm = Codec<OAuthClient.BodyForm>.choice([.form, .json])
    private static let parameters = Codec<[String]>.list(
        .checked("\"name=value\" in visible characters") { LoginParameter($0) != nil })
    private static let field = Codec.checked("members of the answer, dots between them", isFragment)
    private static let claim = Codec<[String]>.list(.text("the name of a claim, or of a member in it"), atMost: 8)
    private static let word = Codec.checked("a word of the answer, in visible characters", isFragment)

    private static let answer = Schema<ProviderEntry.AnswerEntry>([
        .value("accessField", \.accessField, field),
        .value("refreshField", \.refreshField, field),
        .value("expiryField", \.expiryField, field),
        .value("expiryForm", \.expiryForm, .choice(ExpiryForm.allCases)),
        .optional("accountField", \.accountField, field),
        .value("accountClaim", \.accountClaim, claim),
        .optional("emailField", \.emailField, field),
        .value("emailClaim", \.emailClaim, claim),
        .optional("baseURLField", \.baseURLField, field),
        .value("baseURLHosts", \.baseURLHosts, .list(.host)),
        .optional("baseURLWithout", \.baseURLWithout, .checked("a path such as \"/v1\", without a final slash", isPrefix)),
        .optional("statusField", \.statusField, field),
        .value("grantedValues", \.grantedValues, .list(word)),
    ])

    private static let login = Schema<ProviderEntry.LoginEntry>([
        .optional(
            "redirectURI", \.redirectURI,
            .checked("an http URL of this machine with its port, such as \"http://localhost:1455/auth/callback\"") {
                LoopbackRedirect($0) != nil
            }),
        .value("parameters", \.parameters, parameters),
        .group(
            "state", \.state,
            Schema([
                .value("requiredInPaste", \.requiredInPaste, .truth), .value("sentInExchange", \.sentInExchange, .truth),
            ])),
        .optionalGroup("device", \.device, empty: ProviderEntry.DeviceEntry(), device),
    ])

    private static let device = Schema<ProviderEntry.DeviceEntry>([
        .value("form", \.form, .choice(ProviderEntry.DeviceForm.allCases)),
        .optional("startURL", \.startURL, endpoint),
        .optional("pollURL", \.pollURL, endpoint),
        .value("parameters", \.parameters, parameters),
        .value("pkce", \.pkce, .truth),
        .value("sendsState", \.sendsState, .truth),
        .value(
            "grantType", \.grantType, .checked("the name of a grant, such as \"urn:ietf:params:oauth:grant-type:device_code\"", isFragment)),
        .value("pollKey", \.pollKey, .choice(DeviceManners.PollKey.allCases)),
        .value("expiryField", \.expiryField, field),
        .value("expiryForm", \.expiryForm, .choice(ExpiryForm.allCases)),
        .value("pendingValues", \.pendingValues, .list(word)),
        .value("pendingStatuses", \.pendingStatuses, .list(.count(400...499))),
        .optional("pageURL", \.pageURL, endpoint),
        .optional("redirectURI", \.redirectURI, endpoint),
    ])

    static let mint = Schema<ProviderEntry.MintEntry>([
        .optional("url", \.url, endpoint),
        .value("method", \.method, .choice(Mint.Method.allCases)),
        .value("header", \.header, fieldName),
        .optional("prefix", \.prefix, prefix),
        .value("parameters", \.parameters, parameters),
        .value("bodyForm", \.bodyForm, bodyForm),
        .value("tokenField", \.tokenField, field),
        .value("expiryField", \.expiryField, field),
        .optional("caFile", \.caFile, .path),
    ])

    static let exec = Schema<ProviderEntry.ExecEntry>([
        .optional("command", \.command, .checked("an absolute path, or the name of a program, such as \"gcloud\"", isCommand)),
        .value("args", \.args, .list(argument, atMost: 64)),
        .value("passEnv", \.passEnv, .list(variable)),
        .value(
            "env", \.env, .map("the name of an environment variable", { isVariable($0) ? $0 : nil }, to: argument)),
        .value("timeout", \.timeout, .duration(.milliseconds(100)...(.seconds(600)))),
        .value("maxOutputBytes", \.maxOutputBytes, .size(16...(1 << 20))),
        .value("output", \.output, .choice(CredentialProgram.Output.allCases)),
        .value("tokenField", \.tokenField, field),
        .value("expiryField", \.expiryField, field),
        .value("life", \.life, .duration(.seconds(60)...(.seconds(86400)))),
    ])

    private static let argument = Codec.checked("a text") { !$0.utf8.contains(0) }

    static let apiKey = Schema<ProviderEntry.KeyEntry>([
        .optional("prompt", \.prompt, sentence), .optional("pattern", \.pattern, pattern),
    ])

    static let setupToken = Schema<ProviderEntry.SetupTokenEntry>([
        .optional("prompt", \.prompt, sentence),
        .optional("prefix", \.prefix, .checked("how such tokens begin: visible characters", isFragment)),
        .optional("minLength", \.minLength, .count(1...4096)),
        .optional("life", \.life, .duration(.seconds(60)...(.seconds(10 * 365 * 86400)))),
        .value("program", \.program, .list(argument, atMost: 16)),
        .optional("note", \.note, sentence),
    ])

    private static let sentence = Codec.checked("a sentence in visible ASCII, at most 300 characters") {
        FieldText.isValue($0) && !$0.isEmpty && $0.utf8.count <= 300
    }

    private static let pattern = Codec.checked("a regular expression of at most 200 characters, such as \"^gsk_[0-9A-Za-z]+$\"") {
        (1...200).contains($0.utf8.count) && (try? Regex($0)) != nil
    }

    private static func isCommand(_ text: String) -> Bool {
        guard !text.isEmpty, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return false }
        return text.hasPrefix("/") ? !text.hasSuffix("/") : !text.contains("/")
    }
}
