import Testing

@testable import Configuration

/// What loading a text says, one line a flaw.
private func flaws(_ text: String, overrides: SettingsOverrides = SettingsOverrides()) -> String {
    do {
        _ = try Settings(file: SettingsText(path: "k.json5", bytes: Array(text.utf8)), overrides: overrides)
        return "none"
    } catch {
        return error.description
    }
}

@Suite struct SettingsErrorTests {
    @Test(
        "A flaw names the file, the line, the column, the member and what was expected",
        arguments: [
            ("{\n  timouts: {},\n}", "k.json5:2:3: timouts: unknown member; did you mean \"timeouts\"?"),
            ("{ log: { levle: \"info\" } }", "k.json5:1:10: log.levle: unknown member; did you mean \"level\"?"),
            ("{ gate: { ports: [] } }", "k.json5:1:11: gate.ports: unknown member; expected \"hosts\" or \"origins\""),
            ("{\n  workers: 0,\n}", "k.json5:2:12: workers: expected a whole number from 1 to 64"),
            ("{ workers: 1.5 }", "k.json5:1:12: workers: expected a whole number from 1 to 64"),
            ("{ workers: \"2\" }", "k.json5:1:12: workers: expected a whole number from 1 to 64, found a string"),
            ("{ workers: Infinity }", "k.json5:1:12: workers: expected a whole number from 1 to 64, found a number that is not finite"),
            ("{ auth: [] }", "k.json5:1:9: auth: expected an object { … }, found an array"),
            ("[]", "k.json5:1:1: expected an object { … }, found an array"),
            (
                "{ log: { level: \"warn\" } }",
                "k.json5:1:17: log.level: expected \"trace\", \"debug\", \"info\", \"notice\", \"warning\", \"error\" or \"critical\""
            ),
            (
                "{ log: { level: \"Info\" } }",
                "k.json5:1:17: log.level: expected \"trace\", \"debug\", \"info\", \"notice\", \"warning\", \"error\" or \"critical\"; did you mean \"info\"?"
            ),
            (
                "{ timeouts: { head: \"1h\" } }",
                "k.json5:1:21: timeouts.head: expected a duration from 1s to 5m, as \"250ms\", \"15s\", \"5m\", \"1h\" or a number of seconds"
            ),
            (
                "{ limits: { headBytes: \"64KB\" } }",
                "k.json5:1:24: limits.headBytes: expected a size from 4KiB to 64KiB, as \"64KiB\", \"32MiB\" or a number of bytes"
            ),
            ("{ auth: { allowPaidFallback: 1 } }", "k.json5:1:30: auth.allowPaidFallback: expected true or false, found a number"),
            ("{ sink: \"rel\" }", "k.json5:1:9: sink: expected an absolute path, starting with '/'"),
            ("{ agents: { list: [{ default: true }] } }", "k.json5:1:20: agents.list[0]: expected a member \"id\""),
            (
                "{ agents: { list: [{ id: \"../x\" }] } }",
                "k.json5:1:26: agents.list[0].id: expected an agent's id: 1 to 64 of a-z, 0-9, '-' and '_', no '-' at either end"
            ),
            (
                "{ secrets: { providers: { v: { source: \"exec\" } } } }",
                "k.json5:1:30: secrets.providers.v: expected a member \"command\": the program's path"
            ),
            (
                "{ secrets: { providers: { v: { source: \"file\", mode: \"json\" } } } }",
                "k.json5:1:30: secrets.providers.v: expected a member \"path\": the file's"
            ),
            (
                "{ secrets: { providers: { v: { source: \"exec\", command: \"v\" } } } }",
                "k.json5:1:57: secrets.providers.v.command: expected an absolute path, starting with '/'"
            ),
            ("{ agents: { list: [{ id: \"a\" }, { id: \"a\" }] } }", "k.json5:1:13: agents.list: expected each agent once"),
            (
                "{ auth: { profiles: { x: { provider: \"openai\", mode: \"key\" } } } }",
                "k.json5:1:54: auth.profiles.x.mode: expected \"api_key\", \"token\" or \"oauth\""
            ),
            ("{ routes: { hosts: { \"a:1\": \"openai\" } } }", "k.json5:1:22: routes.hosts.a:1: expected as name a host without its port"),
            (
                "{ gate: { origins: [\"null\"] } }",
                "k.json5:1:21: gate.origins[0]: expected an origin such as \"http://localhost:3000\", lower case, without a path"
            ),
            (
                "{ gate: { origins: [\"http://a/\"] } }",
                "k.json5:1:21: gate.origins[0]: expected an origin such as \"http://localhost:3000\", lower case, without a path"
            ),
            (
                "{ models: { aliases: { \"a@b\": \"c\" } } }",
                "k.json5:1:24: models.aliases.a@b: expected as name an alias, without @"
            ),
            (
                "{ sessions: { headers: [\"x-api-key\"] } }",
                "k.json5:1:25: sessions.headers[0]: expected the name of a header that holds no credential, such as X-Session-Id"
            ),
            ("{ gate: { hosts: [\"a:1\"] } }", "k.json5:1:19: gate.hosts[0]: expected a host without its port, such as \"devbox.local\""),
        ])
    func places(text: String, expected: String) {
        #expect(flaws(text) == expected)
    }

    @Test(
        "A text that is no JSON5, or has a member twice, is refused at its place",
        arguments: [
            ("{ workers: }", "k.json5:1:12: "), ("{ workers: 1\n  log: {} }", "k.json5:2:3: "),
            ("{\n  workers: 1,\n  workers: 2 }", "k.json5:3:3: "),
            ("", "k.json5:1:1: "),
        ])
    func syntax(text: String, place: String) {
        #expect(flaws(text).hasPrefix(place))
    }

    @Test("All flaws are told at once")
    func all() {
        let lines = flaws(
            "{ workers: 0,\n nonsense: 1,\n log: { level: 1 },\n routes: { default: \"antropic\" },\n timeouts: { head: 0 } }"
        )
        .split(separator: "\n").map { $0.split(separator: ":")[1] }
        #expect(lines == ["1", "2", "3", "5", "4"])
    }

    @Test("A listen address beyond loopback is refused in the file and as a flag")
    func listen() {
        #expect(flaws(#"{ listen: ["127.0.0.1:1", "0.0.0.0:5392"] }"#).hasPrefix("k.json5:1:27: listen[1]: expected a loopback address"))
        #expect(
            flaws("{}", overrides: SettingsOverrides(listen: ["[::]:5392"])).hasPrefix("--listen: expected a loopback address"))
        #expect(flaws(#"{ listen: ["localhost:1", "127.0.0.1:1"] }"#) == "k.json5:1:11: listen: expected each address once")
        #expect(flaws(#"{ listen: ["localhost:0", "127.0.0.1:0"] }"#) == "none")
        #expect(flaws(#"{ listen: [] }"#).contains("at least one address"))
    }

    @Test("A TLS listener names both of its files, by absolute paths, and no address twice")
    func tlsListener() {
        let files = #"tls: { certFile: "/c.pem", keyFile: "/k.pem" }"#
        #expect(flaws("{ listen: [{ address: \"127.0.0.1:1\", \(files) }, \"127.0.0.1:2\"] }") == "none")
        #expect(flaws("{ listen: [{ address: \"127.0.0.1:1\" }] }") == "none")
        #expect(flaws(#"{ listen: [{ tls: {} }] }"#).contains("expected a member \"address\""))
        #expect(flaws(#"{ listen: [{ address: "127.0.0.1:1", tls: { certFile: "/c.pem" } }] }"#).contains("`keybearer tls init` can make"))
        #expect(
            flaws(#"{ listen: [{ address: "127.0.0.1:1", tls: { certFile: "c.pem", keyFile: "/k" } }] }"#).contains(
                "listen[0].tls.certFile: expected an absolute path"))
        #expect(flaws("{ listen: [{ address: \"0.0.0.0:1\", \(files) }, { address: \"[2001:db8::1]:1\", \(files) }] }") == "none")
        #expect(flaws("{ listen: [{ address: \"0.0.0.0:1\" }] }").contains("expected a loopback address"))
        #expect(flaws("{ listen: [{ address: \"gateway.example:1\", \(files) }] }").contains("expected an address and a port"))
        #expect(flaws("{ listen: [{ address: \"127.0.0.1:1\", \(files) }, \"127.0.0.1:1\"] }").contains("expected each address once"))
        #expect(flaws("{ listen: [1] }").contains("expected an address and a port"))
    }

    @Test("Flags are checked like members")
    func flags() {
        #expect(flaws("{}", overrides: SettingsOverrides(workers: 0)) == "--workers: expected a whole number from 1 to 64")
        #expect(flaws("{}", overrides: SettingsOverrides(logLevel: "loud")).hasPrefix("--log-level: expected \"trace\""))
    }

    @Test(
        "A provider that does not exist is named, with the one that was probably meant",
        arguments: [
            (
                "{ routes: { default: \"antropic\" } }",
                "k.json5:1:13: routes.default: expected the id of a provider; did you mean \"anthropic\"?"
            ),
            (
                "{ routes: { hosts: { h: \"opnai\" } } }",
                "k.json5:1:22: routes.hosts.h: expected the id of a provider; did you mean \"openai\"?"
            ),
            (
                "{ auth: { order: { gooogle: [] } } }",
                "k.json5:1:20: auth.order.gooogle: expected the id of a provider; did you mean \"google\"?"
            ),
            (
                "{ auth: { profiles: { x: { provider: \"openay\" } } } }",
                "k.json5:1:28: auth.profiles.x.provider: expected the id of a provider; did you mean \"openai\"?"
            ),
            (
                "{ providers: { openai: { credentialsFrom: \"opnai\" } } }",
                "k.json5:1:26: providers.openai.credentialsFrom: expected the id of a provider; did you mean \"openai\"?"
            ),
        ])
    func references(text: String, expected: String) {
        #expect(flaws(text) == expected)
    }

    @Test(
        "A provider's flaws are told",
        arguments: [
            (
                "{ providers: { openai: { baseUrl: \"https://x\" } } }",
                "providers.openai.baseUrl: unknown member; did you mean \"baseURL\"?"
            ),
            ("{ providers: { openai: { baseURL: \"http://api.openai.com\" } } }", "providers.openai.baseURL: expected https://, because"),
            (
                "{ providers: { openai: { baseURL: \"https://a:b@c\" } } }",
                "providers.openai.baseURL: expected a URL without user name and password"
            ),
            ("{ providers: { mine: { baseURL: 1 } } }", "providers.mine.baseURL: expected a URL that starts with https://"),
            ("{ providers: { mine: {} } }", "providers.mine: expected a member \"baseURL\""),
            (
                "{ providers: { mine: { baseURL: 'https://a.example', mint: { method: 'GET' } } } }",
                "providers.mine.mint: expected the member \"url\""
            ),
            (
                "{ providers: { mine: { baseURL: 'https://a.example', mint: { url: 'http://b.example/t' } } } }",
                "providers.mine.mint.url: expected a URL that starts with https://"
            ),
            (
                "{ providers: { mine: { baseURL: 'https://a.example', mint: { url: 'https://b.example/t' }, environmentKeys: ['K'] } } }",
                "providers.mine.environmentKeys: expected none beside \"mint\": store the credential as a profile"
            ),
            ("{ providers: { v1: { baseURL: \"https://x\" } } }", "providers.v1: expected a provider's id"),
            ("{ providers: { \"backend-api\": {} } }", "providers.backend-api: expected a provider's id"),
            ("{ providers: { \"1x\": {} } }", "providers.1x: expected a provider's id"),
            ("{ providers: { \"a/b\": {} } }", "providers.a/b: expected a provider's id"),
            (
                "{ providers: { openai: { oauth: { tokenURL: \"https://x\" } } } }",
                "providers.openai.oauth: expected the member \"clientID\" or \"clientIDEnvironment\""
            ),
            (
                "{ providers: { openai: { oauth: { tokenURL: \"http://x\", clientID: \"c\" } } } }",
                "providers.openai.oauth.tokenURL: expected a URL"
            ),
            (
                "{ providers: { openai: { auth: { api_key: { header: \"host\" } } } } }",
                "providers.openai.auth.api_key.header: expected the name"
            ),
            ("{ providers: { openai: { auth: { key: {} } } } }", "providers.openai.auth.key: credentials are not kept in settings"),
            ("{ providers: { openai: { headers: { \"a b\": \"c\" } } } }", "providers.openai.headers.a b: expected as name a header field"),
            (
                "{ providers: { openai: { headers: { \"x-a\": \"b\\r\\nc: d\" } } } }",
                "providers.openai.headers.x-a: expected a value of visible"
            ),
            (
                "{ providers: { openai: { headers: { Authorization: \"x\" } } } }",
                "providers.openai.headers.Authorization: expected as name a header"
            ),
            (
                "{ providers: { openai: { headers: { \"keybearer-x\": \"x\" } } } }",
                "providers.openai.headers.keybearer-x: expected as name a header"
            ),
            (
                "{ providers: { openai: { headers: { \"x-a\": \"1\", \"X-A\": \"2\" } } } }",
                "providers.openai.headers.X-A: expected each name once"
            ),
            ("{ providers: { openai: { stripPrefixes: [\"v1\"] } } }", "providers.openai.stripPrefixes[0]: expected a path such as"),
            ("{ providers: { \"amazon-bedrock\": { region: \"evil.example/\" } } }", "providers.amazon-bedrock.region: expected a region"),
            (
                "{ providers: { openai: { baseURL: \"https://{region}@evil\" } } }",
                "providers.openai.baseURL: expected a URL without user name"
            ),
        ])
    func providers(text: String, expected: String) {
        let told = flaws(text)
        #expect(told.contains(": \(expected)"), "\(told)")
        #expect(!told.contains("\n"))
    }

    @Test(
        "A credential in the settings is refused without being repeated, and the message says where it goes",
        arguments: [
            "{ apiKey: \"SECRETSECRETSECRET\" }", "{ providers: { openai: { key: \"SECRETSECRETSECRET\" } } }",
            "{ providers: { openai: { api_key: \"SECRETSECRETSECRET\" } } }",
            "{ auth: { profiles: { x: { provider: \"openai\", token: \"SECRETSECRETSECRET\" } } } }",
            "{ providers: { openai: { oauth: { clientSecret: \"SECRETSECRETSECRET\" } } } }",
            "{ providers: { openai: { headers: { \"x-a\": \"Bearer SECRETSECRETSECRET\" } } } }",
            "{ auth: { order: { openai: [\"sk-SECRETSECRETSECRET\"] } } }",
            "{ providers: { openai: { auth: { api_key: { prefix: \"Bearer sk-SECRETSECRETSECRET\" } } } } }",
            "{ auth: { refresh: \"SECRETSECRETSECRET\" } }",
            "{ auth: { profiles: { \"sk-SECRETSECRETSECRET\": { provider: \"openai\" } } } }",
            "{ log: { \"sk-SECRETSECRETSECRET\": 1 } }",
        ])
    func secrets(text: String) {
        let told = flaws(text)
        #expect(told.contains("keybearer models auth paste-api-key"), "\(told)")
        #expect(!told.contains("SECRET"))
    }
}
