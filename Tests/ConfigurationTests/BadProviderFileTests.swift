import Testing

@testable import Configuration

/// Forty-odd ways to get a provider file wrong: each is one line that names the file, the line, the member, and what was expected.
@Suite struct BadProviderFileTests {
    private static let url = "baseURL: 'https://a.example'"
    private static let rows: [(text: String, place: String, words: String)] = [
        // The file as a whole
        ("", "1:1", "expected a value"), ("{ mine: { ", "1:11", "expected"), ("[]", "1:1", "expected an object of providers"),
        ("{ mine: null }", "1:9: providers.mine", "expected an object"), ("{ mine: 'x' }", "1:9: providers.mine", "expected an object"),
        ("{ v1: {} }", "1:3: providers.v1", "expected a provider's id"),
        ("{ 'a b': {} }", "1:3: providers.a b", "expected a provider's id"),
        ("{ mine: {} }", "1:3: providers.mine", "expected a member \"baseURL\""),
        // Members
        ("{ mine: { \(url), lymits: [] } }", "1:41: providers.mine.lymits", "unknown member"),
        ("{ mine: { baseUrl: 'https://a.example' } }", "1:11: providers.mine.baseUrl", "did you mean \"baseURL\"?"),
        ("{ mine: { baseURL: 'a.example' } }", "1:20: providers.mine.baseURL", "starts with https://"),
        ("{ mine: { baseURL: 'http://a.example' } }", "1:20: providers.mine.baseURL", "expected https://, because"),
        ("{ mine: { baseURL: 'https://a.example?k=1' } }", "1:20: providers.mine.baseURL", "without '?' and '#'"),
        ("{ mine: { baseURL: 1 } }", "1:20: providers.mine.baseURL", "found a number"),
        ("{ mine: { \(url), apiKey: { pattern: '(' } } }", "1:60: providers.mine.apiKey.pattern", "a regular expression"),
        ("{ mine: { \(url), apiKey: 'sk-0123456789abcdefghij' } }", "1:49: providers.mine.apiKey", "expected an object"),
        ("{ mine: { \(url), key: 'x' } }", "1:41: providers.mine.key", "credentials are not kept in settings"),
        ("{ mine: { \(url), headers: { 'x-a': 'Bearer 0123456789abcdef' } } }", "1:59: providers.mine.headers.x-a", "not a credential"),
        ("{ mine: { \(url), headers: { authorization: 'x' } } }", "1:52: providers.mine.headers.authorization", "neither a credential's"),
        (
            "{ mine: { \(url), auth: { api_key: { header: 'content-length' } } } }", "1:68: providers.mine.auth.api_key.header",
            "a header field"
        ),
        (
            "{ mine: { \(url), auth: { oauth: { merge: { a: 'b\\nc' } } } } }", "1:70: providers.mine.auth.oauth.merge.a",
            "visible characters"
        ),
        ("{ mine: { \(url), billing: 'free' } }", "1:50: providers.mine.billing", "\"subscription\" or \"metered\""),
        ("{ mine: { \(url), stripPrefixes: ['/v1/'] } }", "1:57: providers.mine.stripPrefixes[0]", "without a final slash"),
        ("{ mine: { \(url), environmentKeys: ['A-B'] } }", "1:59: providers.mine.environmentKeys[0]", "an environment variable"),
        ("{ mine: { \(url), credentialsFrom: 'opnai' } }", "1:41: providers.mine.credentialsFrom", "did you mean \"openai\"?"),
        ("{ mine: { \(url), limitHeaders: ['anthropics'] } }", "1:56: providers.mine.limitHeaders[0]", "did you mean \"anthropic\"?"),
        (
            "{ mine: { \(url), limitHeaders: [{ prefix: 'x', form: 'openai' }] } }", "1:66: providers.mine.limitHeaders[0].prefix",
            "how the fields begin"
        ),
        // Logins
        (
            "{ mine: { \(url), oauth: {} } }", "1:41: providers.mine.oauth",
            "\"tokenURL\" or \"issuer\" and \"clientID\" or \"clientIDEnvironment\""
        ),
        (
            "{ mine: { \(url), oauth: { issuer: 'id.example', clientID: 'c' } } }", "1:58: providers.mine.oauth.issuer",
            "starts with https://"
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', clientSecret: 's' } } }",
            "1:98: providers.mine.oauth.clientSecret", "credentials are not kept in settings"
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', grant: 'client_credentials' } } }",
            "1:41: providers.mine.oauth", "expected the member \"clientSecretEnvironment\""
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', grant: 'password' } } }",
            "1:105: providers.mine.oauth.grant", "\"authorization_code\" or \"client_credentials\""
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', login: { redirectURI: 'https://b.example' } } } }",
            "1:120: providers.mine.oauth.login.redirectURI", "an http URL of this machine"
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', login: { redirectURI: 'http://localhost:1/cb' } } } }",
            "1:107: providers.mine.oauth.login.redirectURI", "expected \"authorizeURL\" or \"issuer\""
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', login: { device: {} } } } }",
            "1:107: providers.mine.oauth.login.device", "expected the member \"startURL\""
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', tokenParameters: ['x'] } } }",
            "1:116: providers.mine.oauth.tokenParameters[0]", "\"name=value\""
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', answer: { expiryForm: 'days' } } } }",
            "1:120: providers.mine.oauth.answer.expiryForm", "\"life\", \"seconds\", \"milliseconds\", \"instant\" or \"any\""
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', answer: { baseURLField: 'u' } } } }",
            "1:108: providers.mine.oauth.answer.baseURLField", "expected \"baseURLHosts\" beside it"
        ),
        (
            "{ mine: { \(url), oauth: { tokenURL: 'https://a.example/t', clientID: 'c', refusedStatuses: [200] } } }",
            "1:116: providers.mine.oauth.refusedStatuses[0]", "a whole number from 400 to 499"
        ),
        // Programs and mints
        ("{ mine: { \(url), exec: {} } }", "1:41: providers.mine.exec", "expected the member \"command\""),
        (
            "{ mine: { \(url), exec: { command: './gcloud' } } }", "1:58: providers.mine.exec.command",
            "an absolute path, or the name of a program"
        ),
        (
            "{ mine: { \(url), exec: { command: 'g', timeout: '1h' } } }", "1:72: providers.mine.exec.timeout",
            "a duration from 100ms to 10m"
        ),
        ("{ mine: { \(url), exec: { command: 'g', args: 'token' } } }", "1:69: providers.mine.exec.args", "expected a list"),
        ("{ mine: { \(url), mint: {} } }", "1:41: providers.mine.mint", "expected the member \"url\""),
        (
            "{ mine: { \(url), mint: { url: 'https://a.example', method: 'PUT' } } }", "1:83: providers.mine.mint.method",
            "expected \"GET\" or \"POST\""
        ),
        (
            "{ mine: { \(url), exec: { command: 'g' }, oauth: { tokenURL: 'https://a.example/t', clientID: 'c', clientSecretEnvironment: 'S', "
                + "grant: 'client_credentials' } } }", "1:41: providers.mine.exec", "expected none beside the grant client_credentials"
        ),
        // Other providers' credentials
        ("{ openai: { baseURL: 'https://evil.example' } }", "1:13: providers.openai.baseURL", "sendsElsewhere: true"),
        ("{ vertex: { exec: { command: '/tmp/evil' } } }", "1:21: providers.vertex.exec.command", "sendsElsewhere: true"),
        ("{ mine: { \(url), environmentKeys: ['GROQ_API_KEY'] } }", "1:41: providers.mine.environmentKeys", "holds a key of groq"),
    ]

    @Test(arguments: rows.indices)
    func `A wrong file is one clear line`(row: Int) {
        let (text, place, words) = Self.rows[row]
        do {
            _ = try Settings(providerFiles: [SettingsText(path: "bad.json5", bytes: Array(text.utf8))])
            Issue.record("it was taken: \(text)")
        } catch {
            let told = error.description
            #expect(told.hasPrefix("bad.json5:\(place)") && told.contains(words), "\(told)")
            #expect(!told.contains("\n"), "\(told)")
        }
    }

    @Test func `There are at least forty of them`() { #expect(Self.rows.count >= 40) }
}
