/// What a credential in a settings file looks like. Settings hold none: they are printed by `config show` and copied into bug reports.
enum SecretShape {
    /// Where the credential goes instead.
    static let advice =
        "credentials are not kept in settings; put it into a profile with `keybearer models auth paste-api-key --provider P` "
        + "(or `paste-token`), which reads it from standard input, and revoke it if others could read this file"

    /// What to say where something else was expected and a credential found.
    static func expectation(_ expected: String) -> String {
        "\(expected), not a credential; \(advice)"
    }

    private static let names: Set<String> = [
        "key", "apikey", "token", "accesstoken", "refreshtoken", "bearertoken", "authtoken", "access", "refresh", "secret", "clientsecret",
        "password", "passwd", "credential", "credentials", "bearer", "authorization", "xapikey", "xgoogapikey", "cookie",
    ]

    /// Whether an unknown member's name says that a credential was meant.
    static func isSecretName(_ name: String) -> Bool {
        names.contains(name.lowercased().filter { $0 != "_" && $0 != "-" })
    }

    /// How the keys and tokens of the providers we know begin (spec/providers.md), and a JWT.
    private static let prefixes = ["sk-", "gsk_", "xai-", "AIza", "ya29.", "eyJ", "kb_", "ghp_", "gho_", "ABSK", "Bearer "]

    /// Whether a value is probably a credential; long enough not to be a prefix that is itself a setting.
    static func isSecretValue(_ text: String) -> Bool {
        text.utf8.count >= 20 && prefixes.contains { text.hasPrefix($0) }
    }
}
