/// The state directory of a Keybearer under test: one login, and settings that say no more than where the stub is. Everything that a user has
/// without asking for it stays on: gate, choice, sessions, replay copies, access log, counters.
enum KeybearerState {
    /// The settings. `http2`: what is spoken upstream.
    static func settings(ports: [UInt16], upstreamPort: UInt16, authorityFile: String, http2: Bool) -> String {
        """
        {
          listen: [\(ports.map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", "))],
          upstream: { caFile: "\(authorityFile)" },
          routes: { default: "anthropic" },
          providers: {
            anthropic: {
              baseURL: "https://localhost:\(upstreamPort)",
              http2: \(http2),
              webSocket: false,
              auth: { oauth: { header: "authorization", prefix: "Bearer ", accountHeader: "chatgpt-account-id" } },
            },
          },
        }

        """
    }

    /// The one login, which expires in 2100.
    static func profiles(token: String, account: String) -> String {
        """
        { "version": 1, "profiles": { "anthropic:one": { "type": "oauth", "provider": "anthropic", "access": "\(token)", \
        "refresh": "r-1", "expires": 4102444800000, "accountId": "\(account)" } } }

        """
    }

    /// Writes both into a new folder.
    static func write(to folder: String, settings: String, profiles: String) throws {
        for path in ["", "/agents", "/agents/main", "/agents/main/agent"] { try Folder.make(folder + path) }
        try FileText.write(settings, to: folder + "/keybearer.json5")
        try FileText.write(profiles, to: folder + "/agents/main/agent/auth-profiles.json")
    }
}
