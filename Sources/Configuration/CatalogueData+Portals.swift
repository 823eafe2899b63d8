extension CatalogueData {
    /// Portals with a login of their own, by the facts of spec/credential-formats.md §3.3, §3.5 and §4.5, and clouds whose own programs
    /// say tokens.
    static let portals = """
        {
          // Qwen Code's login; static keys go to DashScope, which is another service.
          "qwen-portal": {
            baseURL: "https://portal.qwen.ai",
            auth: { api_key: null },
            oauth: {
              tokenURL: "https://chat.qwen.ai/api/v1/oauth2/token",
              clientID: "f0304373b74a44d2b584a3fb70ca9e56",
              scopes: ["openid", "profile", "email", "model.completion"],
              bodyForm: "form",
              // A refresh that is answered 400 has ended, whatever its code.
              refusedStatuses: [400],
              answer: { baseURLField: "resource_url", baseURLHosts: ["qwen.ai", "aliyuncs.com"], baseURLWithout: "/v1" },
              login: { device: { startURL: "https://chat.qwen.ai/api/v1/oauth2/device/code", pkce: true } },
            },
            billing: "subscription",
            environmentKeys: ["QWEN_OAUTH_TOKEN"],
          },

          // Everybody registers a client of their own.
          chutes: {
            baseURL: "https://llm.chutes.ai",
            oauth: {
              tokenURL: "https://api.chutes.ai/idp/token",
              authorizeURL: "https://api.chutes.ai/idp/authorize",
              userinfoURL: "https://api.chutes.ai/idp/userinfo",
              clientIDEnvironment: "CHUTES_CLIENT_ID",
              clientSecretEnvironment: "CHUTES_CLIENT_SECRET",
              clientSecretOptional: true,
              scopes: ["openid", "profile", "chutes:invoke"],
              answer: { accountField: "sub", emailField: "username" },
              login: { redirectURI: "http://127.0.0.1:1456/oauth-callback" },
            },
            environmentKeys: ["CHUTES_OAUTH_TOKEN", "CHUTES_API_KEY"],
          },

          // Its device login tells by a member how it stands, and names the attempt by the code that the person types. What it calls a life
          // has been seen as an instant, in either unit. In China both hosts are api.minimaxi.com.
          "minimax-portal": {
            baseURL: "https://api.minimax.io/anthropic",
            auth: { api_key: null },
            oauth: {
              tokenURL: "https://api.minimax.io/oauth/token",
              clientID: "78257093-7e40-4613-99e0-527b14b39113",
              scopes: ["group_id", "profile", "model.completion"],
              answer: { expiryField: "expired_in", expiryForm: "any", statusField: "status", grantedValues: ["success"] },
              login: {
                device: {
                  startURL: "https://api.minimax.io/oauth/code",
                  parameters: ["response_type=code"],
                  pkce: true,
                  sendsState: true,
                  grantType: "urn:ietf:params:oauth:grant-type:user_code",
                  pollKey: "user_code",
                  expiryField: "expired_in",
                  expiryForm: "any",
                  pendingValues: ["pending"],
                },
              },
            },
            billing: "subscription",
            errorShape: "anthropic",
            environmentKeys: ["MINIMAX_OAUTH_TOKEN"],
          },

          // Every resource has its own host, so the base URL comes from the configuration. A token is one of Entra's: pasted, or az's.
          "azure-openai": {
            auth: { api_key: { header: "api-key" } },
            exec: {
              command: "az",
              args: ["account", "get-access-token", "--resource", "https://cognitiveservices.azure.com", "--output", "json"],
              passEnv: ["AZURE_CONFIG_DIR"],
              tokenField: "accessToken",
              expiryField: "expires_on",
            },
            failover: { billingCodes: ["insufficient_quota"], rateCodes: ["rate_limit_exceeded"], modelCodes: ["DeploymentNotFound"] },
            limitHeaders: ["openai"],
          },
          // A key is one of express mode. The project and the region are in the path as well; the global place is
          // https://aiplatform.googleapis.com.
          vertex: {
            baseURL: "https://{region}-aiplatform.googleapis.com",
            auth: { api_key: { header: "x-goog-api-key" } },
            exec: {
              command: "gcloud",
              args: ["config", "config-helper", "--format=json"],
              passEnv: ["CLOUDSDK_CONFIG", "CLOUDSDK_ACTIVE_CONFIG_NAME"],
              tokenField: "credential.access_token",
              expiryField: "credential.token_expiry",
            },
            failover: { rateCodes: ["RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"], nextCodes: ["SERVICE_DISABLED"] },
            errorShape: "google",
          },
          "amazon-bedrock": {
            baseURL: "https://bedrock-runtime.{region}.amazonaws.com",
            failover: { quotaCodes: ["ServiceQuotaExceededException"], rateCodes: ["ThrottlingException"] },
            errorShape: "plain",
            environmentKeys: ["AWS_BEARER_TOKEN_BEDROCK"],
          },
        }
        """
}
