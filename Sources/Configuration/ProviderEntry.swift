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
    var limitHeaders: [LimitNames] = []
    var errorShape = ErrorShape.openai
    var needsCredential = true
    var webSocket = true
    var http2 = true
    var privateAddresses = false
    var environmentKeys: [String] = []
    var exec: ExecEntry?
    var apiKey: KeyEntry?
    var setupToken: SetupTokenEntry?

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

    /// How access tokens are had and renewed.
    struct OAuthEntry: Sendable, Equatable {
        var grant = Grant.authorizationCode
        var issuer: String?
        var endpointHosts: [String] = []
        var tokenURL: String?
        var authorizeURL: String?
        var userinfoURL: String?
        var clientID: String?
        var clientIDEnvironment: String?
        var clientSecretEnvironment: String?
        var clientSecretOptional = false
        var clientAuthentication = OAuthClient.Authentication.body
        var scopes: [String] = []
        /// `name=value`, in order.
        var tokenParameters: [String] = []
        var bodyForm = OAuthClient.BodyForm.form
        var answer = AnswerEntry()
        var refusedCodes: [String] = []
        var refusedStatuses: [Int] = []
        var retryInDoubt = OAuthClient.RetryInDoubt.once
        /// Unset: `upstream.caFile`.
        var caFile: String?
        var login: LoginEntry?
    }

    /// What a client is given tokens for.
    enum Grant: String, Sendable, Equatable, CaseIterable {
        /// A person logs in, by browser or device.
        case authorizationCode = "authorization_code"
        /// The client itself, by its secret.
        case clientCredentials = "client_credentials"
    }

    /// Where answers have what is looked for: members with dots between them, claims name by name.
    struct AnswerEntry: Sendable, Equatable {
        var accessField = "access_token"
        var refreshField = "refresh_token"
        var expiryField = "expires_in"
        var expiryForm = ExpiryForm.life
        var accountField: String?
        var accountClaim: [String] = []
        var emailField: String?
        var emailClaim: [String] = []
        var baseURLField: String?
        var baseURLHosts: [String] = []
        var baseURLWithout: String?
        var statusField: String?
        var grantedValues: [String] = []
    }

    /// A program that says a token.
    struct ExecEntry: Sendable, Equatable {
        var command: String?
        var args: [String] = []
        var passEnv: [String] = []
        var env: [String: String] = [:]
        var timeout = Duration.seconds(30)
        var maxOutputBytes = 64 << 10
        var output = CredentialProgram.Output.json
        var tokenField = "token"
        var expiryField = "expires_at"
        var life = Duration.seconds(3600)
    }

    /// How an API key is asked for.
    struct KeyEntry: Sendable, Equatable {
        var prompt: String?
        var pattern: String?
    }

    /// A long-lived token that a person has a program make.
    struct SetupTokenEntry: Sendable, Equatable {
        var prompt: String?
        var prefix: String?
        var minLength: Int?
        var life: Duration?
        var program: [String] = []
        var note: String?
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
        var state = StateEntry()
        var device: DeviceEntry?
    }

    /// What is done with the state beyond comparing the callback's.
    struct StateEntry: Sendable, Equatable {
        var requiredInPaste = false
        var sentInExchange = false
    }

    /// How a person logs in with another device's browser.
    struct DeviceEntry: Sendable, Equatable {
        var form = DeviceForm.rfc8628
        /// Unset: the issuer's.
        var startURL: String?
        var pollURL: String?
        /// `name=value`, in order.
        var parameters: [String] = []
        var pkce = false
        var sendsState = false
        var grantType = DeviceManners().grantType
        var pollKey = DeviceManners.PollKey.deviceCode
        var expiryField = "expires_in"
        var expiryForm = ExpiryForm.life
        var pendingValues: [String] = []
        var pendingStatuses: [Int] = []
        /// This and the next: for the form `openai` only.
        var pageURL: String?
        var redirectURI: String?
    }

    /// The forms of device logins there are.
    enum DeviceForm: String, Sendable, Equatable, CaseIterable {
        case rfc8628, openai
    }
}
