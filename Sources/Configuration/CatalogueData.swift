/// The built-in providers, in the language and schema of the settings file's `providers`. Sources: spec/providers.md, and
/// spec/credential-formats.md §3.3 (token endpoints) and §3.5 (fields of requests).
///
/// What is not said here is the schema's default: each kind of credential as `Authorization: Bearer`, metered, errors in OpenAI's form.
enum CatalogueData {
    /// Providers with a login of their own.
    static let subscriptions = """
        {
          anthropic: {
            baseURL: "https://api.anthropic.com",
            auth: {
              api_key: { header: "x-api-key" },
              token: { merge: { "anthropic-beta": "oauth-2025-04-20" }, billing: "subscription" },
              oauth: { merge: { "anthropic-beta": "oauth-2025-04-20" }, billing: "subscription" },
            },
            // A setup-token that somebody stored as a key still has to travel as a bearer token.
            bearerWhenKeyContains: "sk-ant-oat",
            oauth: {
              tokenURL: "https://platform.claude.com/v1/oauth/token",
              authorizeURL: "https://claude.ai/oauth/authorize",
              clientID: "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
              scopes: ["org:create_api_key", "user:profile", "user:inference"],
              bodyForm: "json",
            },
            errorShape: "anthropic",
            environmentKeys: ["ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"],
          },

          "openai-codex": {
            baseURL: "https://chatgpt.com/backend-api/codex",
            // Codex's openai_base_url adds it.
            stripPrefixes: ["/v1"],
            auth: {
              // A platform key means nothing to the ChatGPT backend.
              api_key: null,
              token: { accountHeader: "chatgpt-account-id" },
              oauth: { accountHeader: "chatgpt-account-id" },
            },
            oauth: {
              tokenURL: "https://auth.openai.com/oauth/token",
              authorizeURL: "https://auth.openai.com/oauth/authorize",
              clientID: "app_EMoamEEZ73f0CkXaXp7hrann",
              scopes: ["openid", "profile", "email", "offline_access"],
              bodyForm: "form",
              login: {
                redirectURI: "http://localhost:1455/auth/callback",
                // The provider shows the originator to nobody and counts by it: it is our own name, not another client's.
                parameters: ["id_token_add_organizations=true", "codex_cli_simplified_flow=true", "originator=keybearer"],
                device: {
                  form: "openai",
                  startURL: "https://auth.openai.com/api/accounts/deviceauth/usercode",
                  pollURL: "https://auth.openai.com/api/accounts/deviceauth/token",
                  pageURL: "https://auth.openai.com/codex/device",
                  redirectURI: "https://auth.openai.com/deviceauth/callback",
                },
              },
            },
            billing: "subscription",
            failover: {
              nextCodes: ["usage_limit_reached", "rate_limit_exceeded"],
              // The plan has no Codex: the account is sound, and must not be cooled.
              entitlementCodes: ["usage_not_included"],
            },
          },

          // The whole ChatGPT backend, for a Codex that keeps its own login.
          chatgpt: {
            baseURL: "https://chatgpt.com",
            credentialsFrom: "openai-codex",
            auth: {
              api_key: null,
              token: { accountHeader: "chatgpt-account-id" },
              oauth: { accountHeader: "chatgpt-account-id" },
            },
            billing: "subscription",
            failover: {
              nextCodes: ["usage_limit_reached", "rate_limit_exceeded"],
              entitlementCodes: ["usage_not_included"],
            },
          },
        }
        """

    /// Providers with static keys, and servers on this machine. Environment keys: spec/credential-formats.md §7.7.
    static let keys = """
        {
          openai: { baseURL: "https://api.openai.com", environmentKeys: ["OPENAI_API_KEY"] },
          google: {
            baseURL: "https://generativelanguage.googleapis.com",
            auth: { api_key: { header: "x-goog-api-key" } },
            errorShape: "google",
            environmentKeys: ["GEMINI_API_KEY"],
          },
          openrouter: { baseURL: "https://openrouter.ai", environmentKeys: ["OPENROUTER_API_KEY"] },
          xai: { baseURL: "https://api.x.ai", environmentKeys: ["XAI_API_KEY"] },
          groq: { baseURL: "https://api.groq.com", environmentKeys: ["GROQ_API_KEY"] },
          mistral: { baseURL: "https://api.mistral.ai", environmentKeys: ["MISTRAL_API_KEY"] },
          deepseek: { baseURL: "https://api.deepseek.com" },
          moonshot: { baseURL: "https://api.moonshot.ai", environmentKeys: ["MOONSHOT_API_KEY"] },
          zai: { baseURL: "https://api.z.ai", environmentKeys: ["ZAI_API_KEY", "Z_AI_API_KEY"] },
          // Every resource has its own host, so the base URL comes from the configuration. A token is one of Entra's.
          "azure-openai": { auth: { api_key: { header: "api-key" } } },
          "amazon-bedrock": {
            baseURL: "https://bedrock-runtime.{region}.amazonaws.com",
            errorShape: "plain",
            environmentKeys: ["AWS_BEARER_TOKEN_BEDROCK"],
          },
          ollama: { baseURL: "http://127.0.0.1:11434", needsCredential: false },
        }
        """
}
