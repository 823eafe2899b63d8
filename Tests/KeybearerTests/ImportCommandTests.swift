import Credentials
import Glibc
import JSON
import Testing

/// `keybearer import` as a person uses it.
@Suite struct ImportCommandTests {
    private let scene: ToolScene
    private static let codex = #"{"tokens":{"access_token":"canary-at","refresh_token":"canary-rt","account_id":"acc"},"last_refresh":"x"}"#
    private static let theirs = [
        ToolScene.login("openai-codex:work", refresh: "canary-rt-2"), ToolScene.key("openai:default"),
        #""anthropic:setup":{"type":"token","provider":"anthropic","token":"canary-token"}"#,
    ]

    init() throws {
        scene = try ToolScene()
        try scene.folders(".codex")
    }

    private var path: String { scene.home + "/.codex/auth.json" }
    private var store: AgentStore { AgentStore(sink: scene.state) }

    private func run(_ arguments: String...) throws -> Executable.Outcome {
        let outcome = try scene.run(arguments)
        #expect(!outcome.everything.contains("canary"), "no secret is ever printed")
        return outcome
    }

    private func document(_ arguments: String...) throws -> Value {
        let outcome = try scene.run(arguments)
        #expect(outcome.code == 0, "\(outcome.errors)")
        return try Reader.parse(Array(outcome.output.utf8))
    }

    @Test func anOverlayIsUsedShownAndTakenOutAndTheFileStaysAsItIs() throws {
        try Text.write(Self.codex, to: path)
        let first = try run("import", "codex")
        #expect(first.code == 0 && first.output.hasPrefix("imported openai-codex:codex: read from \(path)"))
        #expect(try store.load().profile("openai-codex:codex")?.secret?.revealed == "canary-at")
        #expect(!Text.read(store.profilesPath).contains("canary"))

        #expect(try run("import", "codex").output.hasPrefix("unchanged openai-codex:codex"))
        let status = try run("models", "status")
        #expect(status.output.contains("overlay: Codex's own, read from \(path)"))
        let json = try document("models", "status", "--json")
        let profile = json["auth"]?["oauth"]?["profiles"]?.array?.first { $0["profileId"]?.string == "openai-codex:codex" }
        #expect(profile?["source"]?.string == "overlay" && profile?["overlay"]?["tool"]?.string == "codex")
        #expect(profile?["refreshable"]?.bool == false)
        let listed = try document("models", "auth", "list", "--json")
        #expect(listed["auth"]?.array?.first?["isExternal"]?.bool == true)
        #expect(try run("models", "status", "--check").code == 0)
        #expect(try scene.run("token", "openai-codex:codex").output == "canary-at\n")

        let logout = try run("models", "auth", "logout", "openai-codex:codex")
        #expect(logout.code == 0 && logout.output.contains("Codex stays logged in"))
        #expect(try store.load().profiles.isEmpty)
        #expect(Text.read(path) == Self.codex)
    }

    @Test func oneThatHasExpiredSaysWhatToDo() throws {
        try scene.folders(".claude")
        let claude = scene.home + "/.claude/.credentials.json"
        try Text.write(#"{"claudeAiOauth":{"accessToken":"canary-at","refreshToken":"canary-rt","expiresAt":1000}}"#, to: claude)
        #expect(try run("import", "claude-code", "--profile-id", "anthropic:max").code == 0)
        let advice = "the token of \(claude) has expired; run claude once, or `keybearer import claude-code --adopt`"
        #expect(try run("models", "status").output.contains(advice))
        #expect(try run("models", "status", "--check").code == 1)
        let token = try run("token", "anthropic:max")
        #expect(token.code == 1 && token.errors.contains(advice))
        #expect(try run("doctor").output.contains("problem: anthropic:max is Claude Code's login"))
        let paste = try run("models", "auth", "paste-token", "--provider", "anthropic", "--profile-id", "anthropic:max")
        #expect(paste.code == 64 && paste.errors.contains("is Claude Code's login"))
        #expect(try run("agents", "add", "lab").code == 0)
        #expect(try run("import", "claude-code", "--agent", "lab").code == 0)
        #expect(try run("agents", "remove", "lab", "--yes").code == 0)
        #expect(Text.read(claude).contains("canary-rt"))
    }

    @Test func nothingIsChangedByADryRunOrARefusal() throws {
        let none = try run("import", "codex")
        #expect(none.code == 1 && none.errors.contains("\(path) is not there; log in with codex first"))
        try Text.write(Self.codex, to: path)
        #expect(try run("import", "codex", "--dry-run").output.hasPrefix("would import openai-codex:codex"))
        #expect(access(store.profilesPath, F_OK) != 0)
        #expect(try run("import", "vim").code == 64)

        try scene.store(ToolScene.key("openai-codex:codex"), ToolScene.login("openai-codex:own", refresh: "canary-rt"))
        let held = try run("import", "codex")
        #expect(held.code == 1 && held.errors.contains("openai-codex:own holds this very login"))
        try scene.store(ToolScene.key("openai-codex:codex"))
        let taken = try run("import", "codex")
        #expect(taken.code == 1 && taken.errors.contains("--profile-id"))
        #expect(Text.read(path) == Self.codex)
    }

    @Test func aMoltbotsProfilesAreReadWhereTheyAre() throws {
        try scene.store(ToolScene.key("openai:default"))
        try scene.store(Self.theirs[0], Self.theirs[1], Self.theirs[2], sink: ".openclaw")
        let before = Text.read(scene.home + "/.openclaw/agents/main/agent/auth-profiles.json")
        let report = try document("import", "moltbot", "--json")
        let outcomes = report["profiles"]?.array?.map { "\($0["id"]?.string ?? "") \($0["outcome"]?.string ?? "")" }
        #expect(outcomes == ["openai-codex:work imported", "openai:default unchanged", "anthropic:setup imported"])
        let snapshot = try store.load()
        #expect(snapshot.profile("openai-codex:work")?.secret?.revealed == "canary-access")
        #expect(snapshot.profile("openai-codex:work")?.refresh == nil)
        #expect(snapshot.profile("anthropic:setup")?.overlay != nil)
        #expect(Text.read(scene.home + "/.openclaw/agents/main/agent/auth-profiles.json") == before)
    }

    @Test func keysAreCopiedOnRequestAndLoginsNever() throws {
        try scene.store(Self.theirs[0], Self.theirs[1], Self.theirs[2], sink: "claw")
        try scene.store(ToolScene.key("xai:default"))
        let adopted = try run("import", "moltbot", "--adopt", "--from", scene.home + "/claw")
        #expect(adopted.code == 0 && adopted.errors.contains("refused openai-codex:work: it is a login that OpenClaw renews"))
        let text = Text.read(store.profilesPath)
        #expect(text.contains("canary-token") && text.contains("sk-canary-0001") && !text.contains("canary-rt-2"))
        let one = try run("import", "moltbot", "--adopt", "--from", scene.home + "/claw", "--profile-id", "openai-codex:work")
        #expect(one.code == 1)
        let unknown = try run("import", "moltbot", "--from", scene.home + "/claw", "--profile-id", "p:none")
        #expect(unknown.code == 1 && unknown.errors.contains("has no profile p:none"))
    }

    @Test func theFolderThatIsUsedInPlaceIsNotImported() throws {
        try scene.store(Self.theirs[1], sink: ".openclaw")
        #expect(try run("import", "moltbot").code == 64)
    }
}

/// `keybearer import --adopt` and its way back.
@Suite struct AdoptCommandTests {
    private let scene: ToolScene
    private static let codex =
        #"{"tokens":{"access_token":"eyJ.eyJleHAiOjQxMDI0NDQ4MDB9.canary","refresh_token":"canary-rt","account_id":"acc"}}"#

    init() throws {
        scene = try ToolScene()
        try scene.folders(".codex")
        try Text.write(Self.codex, to: scene.home + "/.codex/auth.json")
    }

    private var path: String { scene.home + "/.codex/auth.json" }
    private var store: AgentStore { AgentStore(sink: scene.state) }

    private func run(_ arguments: String...) throws -> Executable.Outcome {
        let outcome = try scene.run(arguments)
        #expect(!outcome.everything.contains("canary"), "no secret is ever printed")
        return outcome
    }

    @Test func theLoginBecomesOursCodexIsPointedHereAndBothGoBack() throws {
        let configuration = scene.home + "/.codex/config.toml"
        try Text.write("model = \"gpt-5\"\n", to: configuration)
        #expect(try run("import", "codex", "--adopt", "--dry-run").output.hasPrefix("would import openai-codex:codex"))
        #expect(Text.read(path) == Self.codex)

        let adopted = try run("import", "codex", "--adopt")
        #expect(adopted.code == 0 && adopted.output.contains("is Keybearer's alone"), "\(adopted.errors)")
        #expect(access(path, F_OK) != 0)
        #expect(try store.load().profile("openai-codex:codex")?.refresh?.revealed == "canary-rt")
        #expect(Text.read(configuration).contains("\(scene.origin)/openai-codex"))
        #expect(try run("models", "status").output.contains("refreshed by itself"))
        let again = try run("import", "codex", "--adopt")
        #expect(again.code == 1 && again.errors.contains("is not there"))

        let undone = try run("import", "codex", "--undo")
        #expect(undone.code == 0, "\(undone.errors)")
        #expect(Text.read(path) == Self.codex && Text.read(configuration) == "model = \"gpt-5\"\n")
        #expect(try store.load().profiles.isEmpty)
        #expect(try run("import", "codex", "--undo").code == 1)
    }

    @Test(arguments: ["hard link", "occupied", "overridden", "not a login", "another profile", "another holder"])
    func itIsRefusedWithTheReasonAndNothingIsChanged(kind: String) throws {
        let configuration = scene.home + "/.codex/config.toml"
        let expected: String
        switch kind {
        case "hard link":
            link(path, scene.home + "/second")
            expected = "has a second name"
        case "occupied":
            try Text.write("[model_providers.keybearer]\nname = \"mine\"\n", to: configuration)
            expected = "which Keybearer did not write"
        case "overridden":
            try Text.write("profile = \"p\"\n[profiles.p]\nmodel_provider = \"other\"\n", to: configuration)
            expected = "goes before Keybearer"
        case "not a login":
            try Text.write(#"{"OPENAI_API_KEY":"canary-key"}"#, to: path)
            expected = "which nobody renews"
        case "another profile":
            try scene.store(ToolScene.key("openai-codex:codex"))
            expected = "name this one with --profile-id"
        default:
            try scene.store(ToolScene.login("openai-codex:own", refresh: "canary-rt"))
            expected = "holds this very login already"
        }
        let (file, settings) = (Text.read(path), Text.read(configuration))
        let refused = try run("import", "codex", "--adopt")
        #expect(refused.code == 1 && refused.errors.contains(expected), "\(refused.errors)")
        #expect(Text.read(path) == file && Text.read(configuration) == settings)
        #expect(store.adoptions().isEmpty)
    }

    @Test func aToolThatCannotBePointedHereKeepsItsLogin() throws {
        try scene.folders(".qwen")
        let qwen = scene.home + "/.qwen/oauth_creds.json"
        try Text.write(#"{"access_token":"canary-at","refresh_token":"canary-rt","expiry_date":4102444800000}"#, to: qwen)
        let refused = try run("import", "qwen", "--adopt")
        #expect(refused.code == 1 && refused.errors.contains("cannot be pointed at Keybearer"))
        #expect(try run("import", "qwen").code == 0)
        #expect(try store.load().profile("qwen-portal:qwen")?.secret?.revealed == "canary-at")
    }

    @Test func aCodexThatRunsKeepsItsLoginAndOneWithAHomeOfItsOwnDoesNotMatter() throws {
        try scene.program("codex", "sleep 20")
        let elsewhere = try RunningProcess(
            "\(scene.home)/bin/codex", [], input: "", environment: ["HOME": "/nonexistent", "PATH": "/usr/bin:/bin"], folder: scene.home)
        #expect(try run("import", "codex", "--adopt", "--dry-run").code == 0)
        let running = try RunningProcess(
            "\(scene.home)/bin/codex", [], input: "", environment: ["HOME": scene.home, "PATH": "/usr/bin:/bin"], folder: scene.home)
        let refused = try run("import", "codex", "--adopt")
        #expect(refused.code == 1 && refused.errors.contains("(process \(running.processID))"), "\(refused.errors)")
        #expect(Text.read(path) == Self.codex)
        withExtendedLifetime((elsewhere, running)) {}
    }
}
