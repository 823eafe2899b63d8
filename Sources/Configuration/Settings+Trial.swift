internal import Credentials
internal import JSON

/// Where a provider's own endpoints are while it is tried out against a stand-in.
public enum TrialPlace: String, Sendable {
    case issuer, authorize, token, userinfo, deviceStart, mint

    /// The path at the stand-in.
    public var path: String { "/trial/\(rawValue)" }

    /// What the client is called there, and where its secret is.
    public static let clientID = "trial-client"
    /// The environment variable that holds the client's secret.
    public static let secretVariable = "KEYBEARER_TRIAL_SECRET"
    /// The token that a program says there.
    public static let programToken = "trial-token-of-a-program"
}

extension Settings {
    /// Settings for trying a provider out: it alone (and whoever lends it profiles), every place of its own at the stand-in `base`, no program
    /// of its own, and a server on any free port.
    public func moved(_ provider: String, to base: String) throws(SettingsError) -> Settings {
        let lender = self.provider(provider)?.credentialsFrom
        var trial = Settings(
            providerEntries: providerEntries.filter { $0.id == provider || $0.id == lender }.map { $0.moved(to: base) })
        trial.listen = [ListenAddress(host: "127.0.0.1", port: 0)]
        trial.workers = 1
        trial.log.level = .error
        var check = CrossCheck(places: [:])
        trial.providers = Catalogue.resolve(trial, &check)
        guard check.problems.isEmpty else { throw SettingsError(check.problems) }
        return trial
    }
}

extension ProviderEntry {
    fileprivate func moved(to base: String) -> ProviderEntry {
        let place = { (place: TrialPlace) in base + place.path }
        var entry = self
        entry.baseURL = base + ((try? BaseURL(ProviderSchema.url(baseURL ?? base, region: "region")))?.path ?? "")
        entry.mint?.url = place(.mint)
        entry.mint?.caFile = nil
        entry.exec = exec?.standIn
        guard var oauth else { return entry }
        if oauth.tokenURL != nil { oauth.tokenURL = place(.token) }
        if oauth.issuer != nil { oauth.issuer = place(.issuer) }
        if oauth.authorizeURL != nil { oauth.authorizeURL = place(.authorize) }
        if oauth.userinfoURL != nil { oauth.userinfoURL = place(.userinfo) }
        if oauth.login?.device?.startURL != nil { oauth.login?.device?.startURL = place(.deviceStart) }
        oauth.clientID = TrialPlace.clientID
        oauth.clientIDEnvironment = nil
        if oauth.clientSecretEnvironment != nil { oauth.clientSecretEnvironment = TrialPlace.secretVariable }
        if !oauth.answer.baseURLHosts.isEmpty { oauth.answer.baseURLHosts.append("localhost") }
        oauth.caFile = nil
        entry.oauth = oauth
        return entry
    }
}

extension ProviderEntry.ExecEntry {
    /// A program that says what the real one would, in its form.
    fileprivate var standIn: ProviderEntry.ExecEntry {
        var entry = self
        entry.command = "/bin/echo"
        let token = TrialPlace.programToken
        switch output {
        case .text: entry.args = [token]
        case .json:
            let answer = tokenField.split(separator: ".").reversed().reduce(Value.string(token)) { inner, name in
                .object(Object([(String(name), inner)]))
            }
            entry.args = [String(decoding: Writer.compact(answer), as: UTF8.self)]
        }
        return entry
    }
}
