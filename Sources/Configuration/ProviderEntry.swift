internal import Credentials

/// A provider as files describe it, member by member, before references between providers are resolved.
struct ProviderEntry: Sendable, Equatable {
    let id: String
    /// May hold `{region}`.
    var baseURL: String?
    /// What `{region}` in the base URL stands for.
    var region: String?
    var stripPrefixes: [String] = []
    var credentialsFrom: String?
    /// The file means to send credentials of a provider that is there already to other hosts. Said anew by each file.
    var sendsElsewhere = false
    var auth = AuthEntry()
    var bearerWhenKeyContains: String?
    var oauth: OAuthEntry?
    var mint: MintEntry?
    var headers: [String: String] = [:]
    var billing = Billing.metered
    var failover = FailoverRules()
    var limitHeaders: [LimitFamily] = []
    var errorShape = ErrorShape.openai
    var needsCredential = true
    var webSocket = true
    var http2 = true
    var privateAddresses = false
    var environmentKeys: [String] = []

    /// How each kind of credential is sent; a kind that is absent cannot be used.
    struct AuthEntry: Sendable, Equatable {
        // A static key as a bearer token is what nearly every provider takes, so data has to say only what differs.
        var apiKey: InjectionEntry? = InjectionEntry()
        var token: InjectionEntry? = InjectionEntry()
        var oauth: InjectionEntry? = InjectionEntry()
    }

    /// How one kind of credential is sent.
    struct InjectionEntry: Sendable, Equatable {
        var header = "authorization"
        /// Unset: `Bearer ` for `authorization`, nothing for other fields.
        var prefix: String?
        var merge: [String: String] = [:]
        var accountHeader: String?
        /// Unset: the provider's.
        var billing: Billing?
    }

    /// How access tokens are renewed.
    struct OAuthEntry: Sendable, Equatable {
        var tokenURL: String?
        var authorizeURL: String?
        var clientID: String?
        var clientSecretEnvironment: String?
        var scopes: [String] = []
        var bodyForm = OAuthClient.BodyForm.form
        var retryInDoubt = OAuthClient.RetryInDoubt.once
        /// Unset: `upstream.caFile`.
        var caFile: String?
        var login: LoginEntry?
    }

    /// How a short-lived token is had for the credential.
    struct MintEntry: Sendable, Equatable {
        var url: String?
        var method = Mint.Method.post
        var header = "authorization"
        /// Unset: `Bearer ` for `authorization`, nothing for other fields.
        var prefix: String?
        /// `name=value`, in order.
        var parameters: [String] = []
        var bodyForm = OAuthClient.BodyForm.form
        /// Members with dots between them.
        var tokenField = "token"
        var expiryField = "expires_at"
        /// Unset: `upstream.caFile`.
        var caFile: String?
    }

    /// How a person logs in.
    struct LoginEntry: Sendable, Equatable {
        var redirectURI: String?
        /// `name=value`, in order.
        var parameters: [String] = []
        var device: DeviceEntry?
    }

    /// How a person logs in with another device's browser.
    struct DeviceEntry: Sendable, Equatable {
        var form = DeviceForm.rfc8628
        var startURL: String?
        /// This and the next two: for the form `openai` only.
        var pollURL: String?
        var pageURL: String?
        var redirectURI: String?
    }

    /// The forms of device logins there are.
    enum DeviceForm: String, Sendable, Equatable, CaseIterable {
        case rfc8628, openai
    }
}
