internal import JSON

/// The files of a state directory in which a proxy finds this sandbox in place of the real providers, with fresh accounts for all of them.
///
/// Profiles: `openai-codex:work` (oauth, expired), `openai-codex:home` (oauth, fresh), `anthropic:setup` (token), `anthropic:key`
/// (api_key), `openai:default` and `google:default` (api_key).
public struct SandboxState: Sendable {
    /// The text of `keybearer.json5`.
    public let configuration: String
    /// The text of `agents/main/agent/auth-profiles.json`.
    public let profiles: String
    /// Which account stands behind each profile id, e.g. `openai-codex:work` → `acct-1`.
    public let accounts: [String: String]

    init(records: Records, baseURL: String, caFile: String) {
        configuration = Self.configuration(baseURL: baseURL, caFile: caFile)
        var members = Object()
        var accounts: [String: String] = [:]
        for (name, expired) in [("work", true), ("home", false)] {
            let login = records.login(.openaiCodex, expired: expired)
            let id = "openai-codex:\(name)"
            accounts[id] = login.accountID
            members[id] = [
                "type": "oauth", "provider": "openai-codex", "access": .string(login.access), "refresh": .string(login.refresh),
                "expires": .integer(login.expires), "email": .string(login.email), "accountId": .string(login.accountID),
            ]
        }
        let (setup, token) = records.with { state, _ in
            let account = state.tokens.account(.anthropic)
            return (account, state.tokens.setupToken(account))
        }
        accounts["anthropic:setup"] = setup.id
        members["anthropic:setup"] = ["type": "token", "provider": "anthropic", "token": .string(token)]
        for (id, provider) in [("anthropic:key", SandboxProvider.anthropic), ("openai:default", .openai), ("google:default", .google)] {
            let (account, key) = records.with { state, _ in
                let account = state.tokens.account(provider)
                return (account, state.tokens.apiKey(account))
            }
            accounts[id] = account.id
            members[id] = ["type": "api_key", "provider": .string(provider.rawValue), "key": .string(key)]
        }
        self.accounts = accounts
        profiles = String(decoding: Writer.pretty(["version": 1, "profiles": .object(members)]), as: UTF8.self)
    }

    private static func configuration(baseURL: String, caFile: String) -> String {
        let trust = caFile.isEmpty ? "" : "\n  upstream: { caFile: \(quoted(caFile)) },"
        return """
            // Points Keybearer at a sandbox instead of the real providers.
            {\(trust)
              providers: {
                anthropic: { baseURL: \(quoted(baseURL)), oauth: { tokenURL: \(quoted(baseURL + "/v1/oauth/token")) } },
                openai: { baseURL: \(quoted(baseURL)) },
                "openai-codex": {
                  baseURL: \(quoted(baseURL + "/backend-api/codex")),
                  oauth: {
                    tokenURL: \(quoted(baseURL + "/oauth/token")),
                    authorizeURL: \(quoted(baseURL + "/oauth/authorize")),
                    login: {
                      device: {
                        startURL: \(quoted(baseURL + "/api/accounts/deviceauth/usercode")),
                        pollURL: \(quoted(baseURL + "/api/accounts/deviceauth/token")),
                        pageURL: \(quoted(baseURL + "/codex/device")),
                      },
                    },
                  },
                },
                chatgpt: { baseURL: \(quoted(baseURL)) },
                google: { baseURL: \(quoted(baseURL)) },
              },
            }

            """
    }

    private static func quoted(_ text: String) -> String { String(decoding: Writer.compact(.string(text)), as: UTF8.self) }
}
