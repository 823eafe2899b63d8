/// What each member of a provider means, by its path within the provider: for editors (`config/provider.schema.json`) and for people.
enum ProviderText {
    static let members: [String: String] = [
        "baseURL":
            "Where requests go: the rest of the path behind /<provider> is appended. https, or http to this machine. {region} stands for the member region.",
        "region": "What {region} in baseURL stands for.",
        "stripPrefixes": "Leading paths that a tool adds by itself and baseURL already has.",
        "credentialsFrom": "The provider whose profiles are used. A provider file may name only one at the same host.",
        "sendsElsewhere":
            "In a provider file: it is meant that credentials of a provider which is there already go to other hosts than before, by this file.",
        "auth": "How each kind of profile is put on a request. A kind that is not mentioned goes as \"Authorization: Bearer …\".",
        "auth.api_key": "How API keys are sent; null: they cannot be used.",
        "auth.token": "How static tokens are sent; null: they cannot be used.",
        "auth.oauth": "How the access tokens of logins are sent; null: they cannot be used.",
        "bearerWhenKeyContains": "An API key that contains this is sent as a token would be.",
        "oauth": "How logins are made and renewed.",
        "oauth.tokenURL": "The token endpoint.",
        "oauth.authorizeURL": "The page of the provider where a person logs in.",
        "oauth.clientID": "The public client id.",
        "oauth.clientSecretEnvironment": "The environment variable that holds the client's secret. A secret itself is in no file.",
        "oauth.scopes": "What a login asks for.",
        "oauth.bodyForm": "How the token endpoint wants its parameters.",
        "oauth.retryInDoubt":
            "What to do with a refresh token whose answer never arrived: send it once more, or never, where the provider punishes that.",
        "oauth.caFile": "PEM file of authorities to trust in place of the system's.",
        "oauth.login": "How a person logs in.",
        "oauth.login.redirectURI": "Where the browser comes back to, as the provider has registered it: http, this machine, port and path.",
        "oauth.login.parameters": "More parameters of the authorization request, as name=value, in this order, after OAuth's own.",
        "oauth.login.device": "A login on another device: a code that is confirmed there.",
        "oauth.login.device.form": "rfc8628, or OpenAI's own form, which gives a code in place of tokens.",
        "oauth.login.device.startURL": "The device authorization endpoint.",
        "oauth.login.device.pollURL": "Form openai: what is polled.",
        "oauth.login.device.pageURL": "Form openai: the page that a person opens.",
        "oauth.login.device.redirectURI": "Form openai: the redirect URI that goes with the code.",
        "mint":
            "A short-lived token that has to be had for the credential first: requests carry that token, and the credential goes to url alone.",
        "mint.url": "Where it is asked for.",
        "mint.method": "How.",
        "mint.header": "The field that carries the credential there.",
        "mint.prefix": "What precedes it in that field; \"Bearer \" for authorization, else nothing.",
        "mint.parameters": "Parameters of a POST, as name=value, in this order.",
        "mint.bodyForm": "How they are written.",
        "mint.tokenField": "Where the answer has the token: members with dots between them.",
        "mint.expiryField": "Where the answer has its end: ms or s since 1970, or a life in seconds.",
        "mint.caFile": "PEM file of authorities to trust in place of the system's.",
        "headers": "Fields set on every request. Never a credential.",
        "billing": "Who pays: a plan with a flat fee, or each request.",
        "failover": "What the provider's refusals mean, by error.code, error.type, error.status or error.details[].reason.",
        "failover.nextCodes": "Another profile may cure it.",
        "failover.entitlementCodes": "The account may not be used like this. Another profile may; this one does not rest.",
        "failover.billingCodes": "The account has to pay first.",
        "failover.quotaCodes": "What the plan holds for a period is used up.",
        "failover.rateCodes": "Too much at once.",
        "failover.overloadedCodes": "The provider has more to do than it can.",
        "failover.authCodes": "The key is refused for good.",
        "failover.modelCodes": "The account has no such model.",
        "failover.entitlementAdvice": "For people, after such a refusal: which client the credential is for.",
        "failover.replay": "unserved: the provider promises that 500, 502, 503 and 504 mean the request was not served.",
        "failover.streamErrors": "Names of stream events that hide a refusal in a 200.",
        "limitHeaders":
            "In which fields the provider tells what is left of a quota: anthropic-ratelimit-…, x-ratelimit-… (openai), x-codex-… (codex).",
        "errorShape": "How errors look that this provider's clients understand.",
        "needsCredential": "false: the server takes anyone, and requests go without a profile.",
        "webSocket": "false: an upgrade to WebSocket is answered 426 at once.",
        "http2": "false: HTTP/1.1 is all that is offered.",
        "privateAddresses": "Whether the name in baseURL may be at a private or local address.",
        "environmentKeys": "Environment variables that may hold a credential, best first; used only where no profile can be.",
    ].merging(injections) { first, _ in first }

    /// The same three times.
    private static let injections: [String: String] = {
        let parts = [
            "header": "The field that carries the secret.",
            "prefix": "What precedes the secret in it; \"Bearer \" for authorization, else nothing.",
            "merge": "Members added once to a list field of the client's.",
            "accountHeader": "The field that carries the account's id.",
            "billing": "Who pays, where it differs from the provider's billing.",
        ]
        return ["api_key", "token", "oauth"].reduce(into: [:]) { texts, kind in
            for (name, text) in parts { texts["auth.\(kind).\(name)"] = text }
        }
    }()
}
