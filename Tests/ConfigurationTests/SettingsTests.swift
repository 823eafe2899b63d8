import Credentials
import Testing

@testable import Configuration

private func load(_ text: String, overrides: SettingsOverrides = SettingsOverrides()) throws -> Settings {
    try Settings(file: SettingsText(path: "k.json5", bytes: Array(text.utf8)), overrides: overrides)
}

@Suite struct SettingsTests {
    @Test("Without a file the defaults of DESIGN §10 are in force")
    func defaults() throws {
        let settings = try Settings()
        #expect(settings.listen.map(\.description) == ["127.0.0.1:5392", "[::1]:5392"])
        #expect(settings.workers == nil)
        #expect(settings.sink == nil)
        #expect(!settings.auth.allowPaidFallback)
        #expect(settings.defaultAgent == "main")
        #expect(settings.upstream == UpstreamSettings(caFile: nil, idlePerKey: 128))
        #expect(settings.replay == ReplaySettings(maxBytes: 33_554_432, chunkedMaxBytes: 1_048_576, totalBytes: 134_217_728))
        #expect(settings.limits == LimitSettings(connections: 10_000, headBytes: 65536, headFields: 128, requestBody: nil))
        #expect(
            settings.timeouts
                == TimeoutSettings(
                    head: .seconds(15), keepAlive: .seconds(75), bodyIdle: .seconds(60), streamStall: .seconds(60), connect: .seconds(10),
                    upstreamIdle: .seconds(55), firstByte: nil, drain: .seconds(30)))
        #expect(settings.log == LogSettings(level: .info, format: .auto))
    }

    @Test("Every member of a file is taken")
    func everyMember() throws {
        let settings = try load(
            """
            {
              listen: ["localhost:0", "127.0.0.2:81"], workers: 3, sink: "/srv/sink",
              auth: {
                order: { "Z.AI": ["zai:a", "b"] }, profiles: { "zai:a": { provider: "zai", mode: "api_key" }, b: { provider: "zai" } },
                allowPaidFallback: true,
              },
              agents: { list: [{ id: "main" }, { id: "research", default: true, inherit: true }] },
              secrets: {
                defaults: { exec: "vault" },
                providers: {
                  vault: { source: "exec", command: "/bin/v", args: ["-x"], timeoutMs: 70, noOutputTimeoutMs: 60, maxOutputBytes: 50,
                           jsonOnly: true, passEnv: ["HOME"], env: { A: "b" }, trustedDirs: ["/bin"], allowInsecurePath: true,
                           allowSymlinkCommand: true },
                  disk: { source: "file", path: "/s.json", mode: "singleValue", maxBytes: "1KiB" },
                  env: { source: "env", allowlist: ["A"] },
                },
              },
              upstream: { caFile: "/etc/ca.pem", idlePerKey: 4 },
              routes: { default: "ollama", hosts: { "Mistral.Local": "mistral", "::1": "xai" } },
              gate: { hosts: ["DevBox.local"], origins: ["http://localhost:3000"] },
              replay: { maxBytes: "1MiB", chunkedMaxBytes: 0, totalBytes: "2GiB" },
              limits: { connections: 5, headBytes: 8192, headFields: 16, requestBody: "10MiB" },
              timeouts: {
                head: 1, keepAlive: "2s", bodyIdle: "3s", streamStall: "4s", connect: "500ms", upstreamIdle: "6s", firstByte: "5m", drain: 0,
              },
              log: { level: "debug", format: "json" },
            }
            """)
        #expect(settings.listen.map(\.description) == ["127.0.0.1:0", "[::1]:0", "127.0.0.2:81"])
        #expect(settings.workers == 3)
        #expect(settings.sink == "/srv/sink")
        #expect(settings.auth.order == ["zai": ["zai:a", "b"]])
        #expect(
            settings.auth.profiles == ["zai:a": DeclaredProfile(provider: "zai", mode: "api_key"), "b": DeclaredProfile(provider: "zai")])
        #expect(settings.auth.allowPaidFallback)
        #expect(
            settings.agents == [
                AgentSettings(id: "main", isDefault: false, inherits: false),
                AgentSettings(id: "research", isDefault: true, inherits: true),
            ])
        #expect(settings.inherits("research") && !settings.inherits("main") && !settings.inherits("other"))
        var vault = SecretCommand(command: "/bin/v")
        (vault.args, vault.passEnv, vault.env, vault.trustedDirs) = (["-x"], ["HOME"], ["A": "b"], ["/bin"])
        (vault.timeout, vault.noOutputTimeout, vault.maxOutputBytes) = (.milliseconds(70), .milliseconds(60), 50)
        (vault.jsonOnly, vault.allowInsecurePath, vault.allowSymlinkCommand) = (true, true, true)
        #expect(
            settings.secrets
                == SecretPlaces(
                    defaults: ["exec": "vault"],
                    places: [
                        "vault": .exec(vault), "disk": .file(SecretFile(path: "/s.json", isSingleValue: true, maxBytes: 1024)),
                        "env": .env(allowlist: ["A"]),
                    ]))
        #expect(settings.defaultAgent == "research")
        #expect(settings.upstream == UpstreamSettings(caFile: "/etc/ca.pem", idlePerKey: 4))
        #expect(settings.routes.default == "ollama")
        #expect(settings.routes.hosts == ["mistral.local": "mistral", "::1": "xai"])
        #expect(settings.gate == GateSettings(hosts: ["devbox.local"], origins: ["http://localhost:3000"]))
        #expect(settings.replay == ReplaySettings(maxBytes: 1 << 20, chunkedMaxBytes: 0, totalBytes: 2 << 30))
        #expect(settings.limits == LimitSettings(connections: 5, headBytes: 8192, headFields: 16, requestBody: 10 << 20))
        #expect(
            settings.timeouts
                == TimeoutSettings(
                    head: .seconds(1), keepAlive: .seconds(2), bodyIdle: .seconds(3), streamStall: .seconds(4), connect: .milliseconds(500),
                    upstreamIdle: .seconds(6), firstByte: .seconds(300), drain: .zero))
        #expect(settings.log == LogSettings(level: .debug, format: .json))
    }

    @Test("null unsets what may be unset")
    func unset() throws {
        let settings = try load(
            "{ workers: null, limits: { requestBody: null }, timeouts: { firstByte: null }, routes: { default: null } }")
        #expect(settings.workers == nil)
        #expect(settings.limits.requestBody == nil)
        #expect(settings.timeouts.firstByte == nil)
    }

    @Test("A built-in provider is changed member by member")
    func changedProvider() throws {
        let settings = try load(
            """
            { providers: {
                anthropic: { baseURL: "https://gateway.example/anthropic/", auth: { oauth: { merge: {} }, token: null } },
                "azure-openai": { baseURL: "https://me.openai.azure.com" },
                "amazon-bedrock": { region: "eu-central-1" },
                "openai-codex": { oauth: { tokenURL: "http://127.0.0.1:9/t", retryInDoubt: "never" } },
                openai: { headers: { "X-Title": "t" }, billing: "subscription", needsCredential: false },
              },
              upstream: { caFile: "/ca.pem" } }
            """)
        let anthropic = try #require(settings.provider("anthropic"))
        #expect(anthropic.baseURL?.description == "https://gateway.example/anthropic")
        #expect(anthropic.injection(for: .apiKey)?.header == "x-api-key")
        #expect(anthropic.injection(for: .oauth) == Injection(header: "authorization", prefix: "Bearer ", billing: .subscription))
        #expect(anthropic.injection(for: .token) == nil)
        #expect(settings.provider("azure-openai")?.baseURL?.host == "me.openai.azure.com")
        #expect(settings.provider("azure-openai")?.addressAdvice == nil)
        #expect(settings.provider("amazon-bedrock")?.baseURL?.host == "bedrock-runtime.eu-central-1.amazonaws.com")
        let codex = try #require(settings.provider("openai-codex")?.oauth)
        #expect(codex.tokenURL == "http://127.0.0.1:9/t")
        #expect(codex.clientID == "app_EMoamEEZ73f0CkXaXp7hrann")
        #expect(codex.retryInDoubt == .never)
        #expect(codex.caFile == "/ca.pem")
        let openai = try #require(settings.provider("openai"))
        #expect(openai.headers == [HeaderField(name: "x-title", value: "t")])
        #expect(openai.injection(for: .apiKey)?.billing == .subscription)
        #expect(!openai.needsCredential)
        #expect(try settings.providers.count == Settings().providers.count)
    }

    @Test("A provider is added by a file of its own, and changed by the settings")
    func addedProvider() throws {
        let plugIn = SettingsText(
            path: "p.json5",
            bytes: Array(#"{ mine: { baseURL: "https://a.example", stripPrefixes: ["/v1"] }, groq: { errorShape: "plain" } }"#.utf8))
        let file = SettingsText(path: "k.json5", bytes: Array(#"{ providers: { mine: { baseURL: "https://b.example" } } }"#.utf8))
        let settings = try Settings(file: file, providerFiles: [plugIn])
        let mine = try #require(settings.provider("mine"))
        #expect(try mine.index == Settings().providers.count)
        #expect(mine.baseURL?.host == "b.example")
        #expect(mine.stripPrefixes == ["/v1"])
        #expect(mine.credentialsFrom == "mine")
        #expect(mine.errorShape == .openai)
        #expect(settings.provider("groq")?.errorShape == .plain)
        #expect(settings.origins["providers.mine.baseURL"] == .file(path: "k.json5", line: 1))
        #expect(settings.origins["providers.mine.stripPrefixes"] == .file(path: "p.json5", line: 1))
    }

    @Test("Flags go before the file, through the same checks")
    func flags() throws {
        let overrides = SettingsOverrides(listen: ["localhost:0"], workers: 2, logLevel: "error")
        let settings = try load(#"{ listen: ["127.0.0.1:1"], workers: 1, log: { level: "debug", format: "text" } }"#, overrides: overrides)
        #expect(settings.listen.map(\.description) == ["127.0.0.1:0", "[::1]:0"])
        #expect(settings.workers == 2)
        #expect(settings.log == LogSettings(level: .error, format: .text))
        #expect(settings.origins["listen"] == .flag("--listen"))
        #expect(settings.origins["log.format"] == .file(path: "k.json5", line: 1))
    }
}
