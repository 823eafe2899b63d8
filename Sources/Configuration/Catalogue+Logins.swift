internal import Credentials

/// From what files say of logins to what the logins use.
extension Catalogue {
    static func client(of entry: ProviderEntry, caFile: String?, _ check: inout CrossCheck) -> OAuthClient? {
        guard let oauth = entry.oauth else { return nil }
        let path = "providers.\(entry.id).oauth"
        let isForItself = oauth.grant == .clientCredentials
        let wanted: [(names: [String], isThere: Bool)] = [
            (["tokenURL", "issuer"], oauth.tokenURL != nil || oauth.issuer != nil),
            (["clientID", "clientIDEnvironment"], oauth.clientID != nil || oauth.clientIDEnvironment != nil),
            (["clientSecretEnvironment"], !isForItself || oauth.clientSecretEnvironment != nil),
        ]
        let absent = wanted.filter { !$0.isThere }
        guard absent.isEmpty else {
            // One that is given and still absent was flawed, and that has been noted already.
            let unsaid = absent.filter { !$0.names.contains { check.isGiven("\(path).\($0)") } }
            let words = unsaid.map { Suggestion.list($0.names) }
            if !unsaid.isEmpty { check.note(path, "expected the member\(unsaid.count > 1 ? "s" : "") \(words.joined(separator: " and "))") }
            return nil
        }
        if oauth.answer.baseURLField != nil, oauth.answer.baseURLHosts.isEmpty, !check.isGiven("\(path).answer.baseURLHosts") {
            check.note("\(path).answer.baseURLField", "expected \"baseURLHosts\" beside it: the hosts that an answer may send requests to")
        }
        if isForItself, oauth.login != nil {
            check.note("\(path).login", "expected none beside the grant client_credentials: nobody logs in")
        }
        var client = OAuthClient(
            tokenURL: oauth.tokenURL ?? "", authorizeURL: oauth.authorizeURL, clientID: oauth.clientID ?? "",
            clientSecretEnvironment: oauth.clientSecretEnvironment, scopes: oauth.scopes, bodyForm: oauth.bodyForm,
            retryInDoubt: oauth.retryInDoubt, caFile: oauth.caFile ?? caFile,
            login: oauth.login.map { rules(of: $0, oauth, under: path + ".login", &check) })
        client.issuer = oauth.tokenURL == nil ? oauth.issuer : nil
        client.endpointHosts = oauth.endpointHosts
        client.clientIDEnvironment = oauth.clientID == nil ? oauth.clientIDEnvironment : nil
        client.secretIsOptional = oauth.clientSecretOptional
        client.authentication = oauth.clientAuthentication
        client.tokenParameters = oauth.tokenParameters.compactMap(LoginParameter.init)
        client.answer = answer(oauth.answer)
        client.refusedCodes = oauth.refusedCodes
        client.refusedStatuses = oauth.refusedStatuses
        client.userinfoURL = oauth.userinfoURL
        return client
    }

    private static func answer(_ entry: ProviderEntry.AnswerEntry) -> AnswerRules {
        var rules = AnswerRules()
        rules.access = names(entry.accessField)
        rules.refresh = names(entry.refreshField)
        rules.expiry = names(entry.expiryField)
        rules.expiryForm = entry.expiryForm
        rules.account = names(entry.accountField)
        rules.accountClaim = entry.accountClaim
        rules.email = names(entry.emailField)
        rules.emailClaim = entry.emailClaim
        rules.baseURL = names(entry.baseURLField)
        rules.baseURLHosts = entry.baseURLHosts
        rules.baseURLWithout = entry.baseURLWithout ?? ""
        rules.status = names(entry.statusField)
        rules.granted = entry.grantedValues
        return rules
    }

    private static func rules(
        of login: ProviderEntry.LoginEntry, _ oauth: ProviderEntry.OAuthEntry, under path: String, _ check: inout CrossCheck
    ) -> LoginRules {
        if login.redirectURI != nil, oauth.authorizeURL == nil, oauth.issuer == nil {
            check.note("\(path).redirectURI", "expected \"authorizeURL\" or \"issuer\" in \"oauth\" as well: the page that leads there")
        }
        var rules = LoginRules(
            redirect: login.redirectURI.flatMap(LoopbackRedirect.init),
            authorizeParameters: login.parameters.compactMap(LoginParameter.init),
            device: login.device.flatMap { device($0, issuer: oauth.issuer, under: path + ".device", &check) })
        rules.state.isRequiredInPaste = login.state.requiredInPaste
        rules.state.isSentInExchange = login.state.sentInExchange
        return rules
    }

    private static func device(
        _ entry: ProviderEntry.DeviceEntry, issuer: String?, under path: String, _ check: inout CrossCheck
    ) -> DeviceRules? {
        let start = entry.startURL ?? (issuer == nil || check.isGiven("\(path).startURL") ? nil : "")
        switch (entry.form, start, entry.pollURL, entry.pageURL, entry.redirectURI) {
        case (.rfc8628, let start?, _, _, _): return .standard(startURL: start, manners(of: entry))
        case (.openai, let start?, let poll?, let page?, let redirect?) where !start.isEmpty:
            return .openai(startURL: start, pollURL: poll, pageURL: page, redirectURI: redirect)
        case (let form, _, _, _, _):
            let names = form == .openai ? ["startURL", "pollURL", "pageURL", "redirectURI"] : ["startURL"]
            // One that is given and still absent was flawed, and that has been noted already.
            let values = [entry.startURL, entry.pollURL, entry.pageURL, entry.redirectURI]
            let absent = zip(names, values).filter { $1 == nil && !check.isGiven("\(path).\($0)") }.map { "\"\($0.0)\"" }
            if !absent.isEmpty { check.note(path, "expected the member\(absent.count > 1 ? "s" : "") \(absent.joined(separator: ", "))") }
            return nil
        }
    }

    private static func manners(of entry: ProviderEntry.DeviceEntry) -> DeviceManners {
        var manners = DeviceManners()
        manners.parameters = entry.parameters.compactMap(LoginParameter.init)
        manners.usesPKCE = entry.pkce
        manners.sendsState = entry.sendsState
        manners.grantType = entry.grantType
        manners.pollKey = entry.pollKey
        manners.expiry = names(entry.expiryField)
        manners.expiryForm = entry.expiryForm
        manners.pending = entry.pendingValues
        manners.pendingStatuses = entry.pendingStatuses
        return manners
    }

    static func program(of entry: ProviderEntry, _ check: inout CrossCheck) -> CredentialProgram? {
        guard let exec = entry.exec else { return nil }
        let path = "providers.\(entry.id).exec"
        if entry.oauth?.grant == .clientCredentials {
            check.note(path, "expected none beside the grant client_credentials: one of the two")
        }
        guard let command = exec.command else {
            if !check.isGiven("\(path).command") { check.note(path, "expected the member \"command\"") }
            return nil
        }
        var program = CredentialProgram(command: command)
        program.args = exec.args
        program.passEnv = exec.passEnv
        program.env = exec.env
        program.timeout = exec.timeout
        program.maxOutputBytes = exec.maxOutputBytes
        program.output = exec.output
        program.tokenPath = names(exec.tokenField)
        program.expiryPath = names(exec.expiryField)
        program.life = exec.life
        return program
    }
}
