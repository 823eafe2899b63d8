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
            // spec/credential-formats.md §5: at least 80 characters. It does not say when it ends.
            setupToken: {
              prompt: "Run `claude setup-token` where Claude Code is installed, and paste the token here.",
              prefix: "sk-ant-oat01-",
              minLength: 80,
              life: "8760h",
              program: ["claude", "setup-token"],
              note: "it is meant for Claude Code; the provider may refuse it to other clients, or bill them apart",
            },
            apiKey: { prompt: "A key is made at https://console.anthropic.com/settings/keys." },
            oauth: {
              tokenURL: "https://platform.claude.com/v1/oauth/token",
              authorizeURL: "https://claude.ai/oauth/authorize",
              clientID: "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
              scopes: ["org:create_api_key", "user:profile", "user:inference"],
              bodyForm: "json",
            },
            failover: {
              billingCodes: ["billing_error"],
              rateCodes: ["rate_limit_error"],
              overloadedCodes: ["overloaded_error"],
              authCodes: ["authentication_error"],
              // A login that may not do this, or a plan without it: another account may.
              entitlementCodes: ["permission_error"],
              entitlementAdvice: "This login is for Claude Code, or its plan does not hold what was asked for.",
            },
            limitHeaders: ["anthropic"],
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
              quotaCodes: ["usage_limit_reached"],
              rateCodes: ["rate_limit_exceeded"],
              overloadedCodes: ["server_is_overloaded", "slow_down"],
              // The plan has no Codex: the account is sound, and must not be cooled.
              entitlementCodes: ["usage_not_included"],
              entitlementAdvice: "The ChatGPT plan of this login does not include Codex.",
            },
            limitHeaders: ["codex"],
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
              quotaCodes: ["usage_limit_reached"],
              rateCodes: ["rate_limit_exceeded"],
              overloadedCodes: ["server_is_overloaded", "slow_down"],
              // The plan has no Codex: the account is sound, and must not be cooled.
              entitlementCodes: ["usage_not_included"],
              entitlementAdvice: "The ChatGPT plan of this login does not include Codex.",
            },
            limitHeaders: ["codex"],
          },
        }
        """

    /// Providers with static keys, and servers on this machine. Environment keys: spec/credential-formats.md §7.7.
    static let keys = """
        {
          openai: {
            baseURL: "https://api.openai.com",
            apiKey: { prompt: "A key is made at https://platform.openai.com/api-keys.", pattern: "^sk-" },
            failover: {
              billingCodes: ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"],
              rateCodes: ["rate_limit_exceeded"],
              overloadedCodes: ["server_is_overloaded", "slow_down"],
              authCodes: ["invalid_api_key", "account_deactivated"],
              modelCodes: ["model_not_found"],
            },
            limitHeaders: ["openai"],
            environmentKeys: ["OPENAI_API_KEY"],
          },
          google: {
            baseURL: "https://generativelanguage.googleapis.com",
            auth: { api_key: { header: "x-goog-api-key" } },
            apiKey: { prompt: "A key is made at https://aistudio.google.com/apikey." },
            failover: {
              billingCodes: ["BILLING_DISABLED"],
              quotaCodes: [
                "GenerateRequestsPerDayPerProjectPerModel", "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
                "GenerateContentInputTokensPerModelPerDay", "GenerateContentInputTokensPerModelPerDay-FreeTier",
              ],
              rateCodes: ["RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"],
              authCodes: ["API_KEY_INVALID", "API_KEY_EXPIRED", "CONSUMER_SUSPENDED"],
              nextCodes: ["SERVICE_DISABLED", "API_KEY_SERVICE_BLOCKED"],
            },
            errorShape: "google",
            environmentKeys: ["GEMINI_API_KEY"],
          },
          openrouter: {
            baseURL: "https://openrouter.ai",
            apiKey: { prompt: "A key is made at https://openrouter.ai/keys.", pattern: "^sk-or-" },
            limitHeaders: ["openai"],
            environmentKeys: ["OPENROUTER_API_KEY"],
          },
          xai: { baseURL: "https://api.x.ai", limitHeaders: ["openai"], environmentKeys: ["XAI_API_KEY"] },
          groq: {
            baseURL: "https://api.groq.com",
            apiKey: { prompt: "A key is made at https://console.groq.com/keys.", pattern: "^gsk_" },
            failover: {
              rateCodes: ["rate_limit_exceeded"],
              authCodes: ["invalid_api_key", "organization_restricted"],
              modelCodes: ["model_not_found"],
            },
            limitHeaders: ["openai"],
            environmentKeys: ["GROQ_API_KEY"],
          },
          mistral: { baseURL: "https://api.mistral.ai", limitHeaders: ["openai"], environmentKeys: ["MISTRAL_API_KEY"] },
          deepseek: { baseURL: "https://api.deepseek.com" },
          moonshot: {
            baseURL: "https://api.moonshot.ai",
            failover: {
              billingCodes: ["exceeded_current_quota_error"],
              rateCodes: ["rate_limit_reached_error"],
              overloadedCodes: ["engine_overloaded_error"],
              authCodes: ["invalid_authentication_error"],
            },
            environmentKeys: ["MOONSHOT_API_KEY"],
          },
          // Its codes are numbers in strings: 1113 the balance is used up, 1302 and 1303 too much at once, 1304 the day's calls.
          zai: {
            baseURL: "https://api.z.ai",
            failover: { billingCodes: ["1113"], quotaCodes: ["1304", "1308"], rateCodes: ["1302", "1303"], overloadedCodes: ["1305"] },
            environmentKeys: ["ZAI_API_KEY", "Z_AI_API_KEY"],
          },
          ollama: { baseURL: "http://127.0.0.1:11434", needsCredential: false },
          vllm: { baseURL: "http://127.0.0.1:8000", needsCredential: false },
          llamacpp: { baseURL: "http://127.0.0.1:8080", needsCredential: false },
        }
        """
}
