import Glibc
import JSON
import Testing

@testable import keybearer

/// The doctor on prepared folders: each flaw is found, alone and with what to do, and nothing is found where nothing is.
@Suite struct DoctorCommandTests {
    private let scene: ToolScene
    private var agent: String { scene.state + "/agents/main/agent" }

    init() throws { scene = try ToolScene() }

    /// The codes that the doctor finds, but for the server that no test here starts.
    private func codes(_ flags: String..., variables: [String: String] = [:]) throws -> [String] {
        try findings(flags, variables: variables).compactMap { $0["code"]?.string }.filter { $0 != "no-server" }
    }

    private func findings(_ flags: [String] = [], variables: [String: String] = [:]) throws -> [Value] {
        let outcome = try scene.run(["doctor", "--json"] + flags, variables: variables)
        #expect(!outcome.everything.contains("canary"), "no secret is shown")
        let document = try Reader.parse(Array(outcome.output.utf8))
        #expect(outcome.code == (document["ok"]?.bool == true ? 0 : 1), "\(outcome.errors)")
        for finding in document["findings"]?.array ?? [] { #expect(finding["advice"]?.string?.isEmpty == false) }
        return document["findings"]?.array ?? []
    }

    private func mode(_ path: String) -> mode_t {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_mode & 0o777 : 0
    }

    private func age(_ path: String, seconds: Int) {
        var times = [timeval(), timeval()]
        for index in times.indices { times[index].tv_sec = time(nil) - seconds }
        #expect(utimes(path, times) == 0)
    }

    @Test func `On a sound machine it finds nothing wrong`() throws {
        try scene.store(ToolScene.key("openai:default"), ToolScene.login("openai-codex:me"))
        #expect(try codes() == [])
        let text = try scene.run("doctor")
        #expect(text.code == 0)
        #expect(
            text.output == "note: no server answers at 127.0.0.1:\(scene.port)\n  → keybearer serve; `keybearer run` starts one by itself\n"
        )
    }

    // MARK: Files

    @Test func `An open folder is a problem, which --fix repairs`() throws {
        try scene.store(ToolScene.key("openai:default"))
        chmod(agent, 0o755)
        chmod(scene.state, 0o750)
        #expect(try codes() == ["open-to-others", "open-to-others"])
        #expect(mode(agent) == 0o700, "a folder of credentials is closed as soon as it is read")
        #expect(mode(scene.state) == 0o750, "without --fix nothing else is changed")
        let text = try scene.run("doctor", "--fix")
        #expect(text.code == 0 && text.output.contains("fixed: \(scene.state) has mode 0750"), "\(text.output)")
        #expect(mode(agent) == 0o700 && mode(scene.state) == 0o700)
        #expect(try codes() == [])
    }

    @Test func `A store that others could read is found even though reading it closes it`() throws {
        try scene.store(ToolScene.key("openai:default"))
        chmod(agent + "/auth-profiles.json", 0o644)
        #expect(try codes() == ["was-open"])
        #expect(mode(agent + "/auth-profiles.json") == 0o600)
        #expect(try codes() == [])
    }

    @Test func `Stale temporary files are found, and removed by --fix; a fresh one may be in use`() throws {
        try scene.store(ToolScene.key("openai:default"))
        let stale = agent + "/.auth-profiles.json.abc.keybearer-tmp"
        let fresh = agent + "/.auth-profiles.json.xyz.keybearer-tmp"
        for path in [stale, fresh] { try Text.write("canary", to: path) }
        age(stale, seconds: 300)
        #expect(try codes() == ["stale-temporary"])
        #expect(try codes("--fix") == ["stale-temporary"])
        #expect(access(stale, F_OK) != 0 && access(fresh, F_OK) == 0)
        #expect(try codes() == [])
    }

    @Test(arguments: [(true, 300, ["stale-lock"]), (true, 5, []), (false, 300, ["stale-lock"]), (false, 5, [])])
    func `A lock that a neighbour left is found in both forms, once it is old`(isFolder: Bool, seconds: Int, expected: [String]) throws {
        try scene.store(ToolScene.key("openai:default"))
        let lock = agent + "/auth-profiles.json.lock"
        // A process id that no Linux gives out by default.
        if isFolder { mkdir(lock, 0o700) } else { try Text.write("{\"pid\": 4194999}", to: lock) }
        age(lock, seconds: seconds)
        #expect(try codes() == expected)
        #expect(try codes("--fix") == expected)
        #expect((access(lock, F_OK) == 0) == expected.isEmpty, "--fix removes what the lock's own protocol gives up, and nothing else")
        #expect(try codes() == [])
    }

    @Test func `A lock whose holder lives is no leftover`() throws {
        try scene.store(ToolScene.key("openai:default"))
        let lock = agent + "/auth-profiles.json.lock"
        try Text.write("{\"pid\": \(getpid())}", to: lock)
        age(lock, seconds: 300)
        #expect(try codes() == [])
    }

    @Test func `What is no file where our lock should be is a problem`() throws {
        try scene.store(ToolScene.key("openai:default"))
        try scene.folders(".keybearer/keybearer/locks/lane-1.lock")
        #expect(try codes() == ["wrong-lock"])
    }

    @Test func `A copy of a broken file, and logins in SQLite, are told`() throws {
        try scene.store(ToolScene.key("openai:default"))
        try Text.write("canary", to: agent + "/auth-profiles.json.corrupt-1")
        try scene.folders(".openclaw/agents/main/agent")
        try Text.write("", to: scene.home + "/.openclaw/agents/main/agent/openclaw-agent.sqlite")
        #expect(try codes() == ["kept-copy", "sqlite-neighbour"])
    }

    // MARK: Profiles

    @Test(arguments: [
        ("\"type\":\"token\",\"provider\":\"anthropic\",\"token\":\"canary\",\"expires\":1000", ["expired"]),
        ("\"type\":\"token\",\"provider\":\"anthropic\",\"token\":\"canary\",\"expires\":4102444800000", []),
        ("\"type\":\"oauth\",\"provider\":\"anthropic\",\"access\":\"canary\",\"refresh\":\"canary\",\"expires\":1000", []),
        ("\"type\":\"oauth\",\"provider\":\"anthropic\",\"access\":\"canary\",\"expires\":1000", ["expired"]),
        ("\"type\":\"api_key\",\"provider\":\"anthropic\"", ["expired"]),
        ("\"type\":\"riddle\",\"provider\":\"anthropic\"", ["unusable-entry"]),
    ])
    func `A profile that needs a person is found`(members: String, expected: [String]) throws {
        try scene.store("\"anthropic:a\":{\(members)}")
        #expect(try codes() == expected)
    }

    @Test func `A token that ends within a month is announced`() throws {
        let expires = (Int64(time(nil)) + 10 * 86_400) * 1000
        try scene.store("\"anthropic:a\":{\"type\":\"token\",\"provider\":\"anthropic\",\"token\":\"canary\",\"expires\":\(expires)}")
        let finding = try #require(try findings().first { $0["code"]?.string == "expiring" })
        #expect(finding["message"]?.string == "anthropic:a ends in 10 days, and cannot be refreshed")
    }

    @Test(arguments: [
        ("Codex CLI", ".codex/auth.json", "{\"tokens\":{\"access_token\":\"x\",\"refresh_token\":\"canary-refresh\"}}"),
        ("Claude Code", ".claude/.credentials.json", "{\"claudeAiOauth\":{\"refreshToken\":\"canary-refresh\"}}"),
        (
            "OpenClaw", ".moltbot/agents/lab/agent/auth-profiles.json",
            "{\"profiles\":{\"openai-codex:x\":{\"type\":\"oauth\",\"refresh\":\"canary-refresh\"}}}"
        ),
    ])
    func `A refresh token that another tool holds as well is found by its fingerprint`(owner: String, file: String, text: String) throws {
        try scene.store(ToolScene.login("openai-codex:me"))
        try scene.folders(file.split(separator: "/").dropLast().joined(separator: "/"))
        try Text.write(text, to: "\(scene.home)/\(file)")
        let finding = try #require(try findings().first { $0["code"]?.string == "shared-token" })
        #expect(finding["message"]?.string?.hasPrefix("openai-codex:me and \(owner) (\(scene.home)/\(file)) hold the same") == true)
        try Text.write(text.replacing("canary-refresh", with: "canary-other"), to: "\(scene.home)/\(file)")
        #expect(try !codes().contains("shared-token"))
    }

    @Test func `Two agents that hold one refresh token are found`() throws {
        try scene.store(ToolScene.login("openai-codex:me"))
        try scene.store(ToolScene.login("openai-codex:copy"), agent: "lab")
        #expect(try codes() == ["shared-token"])
    }

    @Test func `A broken store is a problem, and the other checks are made all the same`() throws {
        try scene.folders(".keybearer/agents/main/agent")
        try Text.write("{ oops", to: agent + "/auth-profiles.json")
        #expect(try codes(variables: ["HTTP_PROXY": "http://proxy"]).contains("store"))
        #expect(try codes(variables: ["HTTP_PROXY": "http://proxy"]).contains("proxy"))
    }

    // MARK: Surroundings

    @Test func `A clock that was turned back shows in the files`() throws {
        try scene.store(ToolScene.key("openai:default"))
        age(agent + "/auth-profiles.json", seconds: -7200)
        #expect(try codes() == ["clock"])
    }

    @Test(arguments: [
        (["HTTP_PROXY": "http://p:1"], ["proxy"]), (["HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1"], []),
        (["https_proxy": "http://p:1"], ["outbound-proxy"]), (["SSL_CERT_FILE": "/nowhere.pem"], ["ca-bundle"]),
        (["SSL_CERT_FILE": "/etc/passwd"], ["ca-bundle"]), (["OPENAI_API_KEY": "sk-canary"], ["key-in-environment"]),
        (["OPENAI_API_KEY": "keybearer-placeholder"], []),
    ])
    func `What the environment does to us is told`(variables: [String: String], expected: [String]) throws {
        try scene.store(ToolScene.key("anthropic:a"))
        #expect(try codes(variables: variables) == expected)
    }

    @Test func `Authorities that cannot be read are told before a provider fails`() throws {
        try Text.write("{ upstream: { caFile: '/nowhere.pem' } }", to: scene.state + "/keybearer.json5")
        #expect(try findings().compactMap { $0["code"]?.string }.contains("ca-file"))
    }

    @Test func `Who holds our port is named`() throws {
        let sandbox = try scene.start(["sandbox", "--no-tls", "--port", "\(scene.port)"])
        for _ in 0..<1000 where !sandbox.output.contains("listening") { usleep(10_000) }
        let finding = try #require(try findings().first)
        #expect(finding["code"]?.string == "port")
        #expect(
            finding["message"]?.string
                == "127.0.0.1:\(scene.port) is in use by keybearer (process \(sandbox.processID)), which is no Keybearer")
    }

    @Test func `A server of another state directory is told from ours`() throws {
        try scene.folders("other")
        let other = try scene.start(["serve", "--state-dir", scene.home + "/other", "--listen", "127.0.0.1:\(scene.port)"])
        _ = try other.waitFor { $0.contains("listening on") ? true : nil }
        #expect(try codes() == ["other-keybearer"])
        other.signal(SIGTERM)
        other.wait()
        let ours = try scene.start(["serve"])
        _ = try ours.waitFor { $0.contains("listening on") ? true : nil }
        #expect(try findings().isEmpty)
    }

    // MARK: Tools

    @Test func `A tool that talks past us is told, and one that points elsewhere`() throws {
        try scene.store(ToolScene.login("openai-codex:me"))
        try scene.folders(".codex")
        try Text.write("model = 'x'\n", to: scene.home + "/.codex/config.toml")
        #expect(try codes() == ["past-us"])
        _ = try scene.run("tools", "setup", "codex")
        #expect(try codes() == [])
        try Text.write("{ listen: ['127.0.0.1:1'] }", to: scene.state + "/keybearer.json5")
        #expect(try codes() == ["wrong-address"])
        try Text.write("oops", to: scene.home + "/.codex/config.toml")
        #expect(try scene.run("doctor").code == 0)
    }
}
