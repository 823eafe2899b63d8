import Glibc
import Testing

@testable import keybearer

/// Tools started by `run`: scripts in their place, which print what they were given.
@Suite struct RunCommandTests {
    private let scene: ToolScene

    init() throws {
        scene = try ToolScene()
        try scene.store(ToolScene.key("anthropic:work"), ToolScene.key("openai:default"), ToolScene.login("openai-codex:me"))
        let printing = "for word in \"$@\"; do echo \"word <$word>\"; done; env | sort"
        try scene.program("claude", printing)
        try scene.program("codex", printing)
    }

    @Test func `The server is started once, stays, and the tool is pointed at it`() throws {
        let first = try scene.run(
            ["run", "--profile", "work", "--session", "s1", "--", "claude", "-p", "say hi", "--", "--help"],
            variables: ["ANTHROPIC_API_KEY": "sk-real", "NO_PROXY": "corp", "KEEP": "me"])
        #expect(first.code == 0, "\(first.errors)")
        #expect(first.errors.hasPrefix("keybearer: started the server at \(scene.origin) (process "))
        #expect(first.output.contains("word <-p>\nword <say hi>\nword <-->\nword <--help>\n"))
        let lines = first.output.split(separator: "\n").map(String.init)
        for line in [
            "ANTHROPIC_BASE_URL=\(scene.origin)/anthropic@work", "ANTHROPIC_AUTH_TOKEN=keybearer-placeholder", "ENABLE_TOOL_SEARCH=true",
            "NO_PROXY=corp,127.0.0.1,localhost,::1", "ANTHROPIC_CUSTOM_HEADERS=Keybearer-Session: s1", "KEEP=me",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!first.output.contains("sk-real"), "a key that leads past us is taken away")
        let second = try scene.run("run", "claude")
        #expect(second.code == 0 && second.errors.isEmpty, "\(second.errors)")
    }

    @Test func `Codex gets its provider before its own arguments`() throws {
        let outcome = try scene.run("run", "--", "codex", "exec", "-c", "x=1", "say hi")
        let words = outcome.output.split(separator: "\n").filter { $0.hasPrefix("word ") }
        #expect(words.first == "word <-c>" && words.dropFirst().first == "word <model_provider=\"keybearer\">")
        #expect(words.contains("word <model_providers.keybearer.base_url=\"\(scene.origin)/openai-codex\">"))
        #expect(words.suffix(4) == ["word <exec>", "word <-c>", "word <x=1>", "word <say hi>"])
    }

    @Test func `A program that is not known gets the libraries' variables`() throws {
        let outcome = try scene.run("run", "--provider", "openai", "--", "/bin/sh", "-c", "echo $OPENAI_BASE_URL $ANTHROPIC_BASE_URL")
        #expect(outcome.output == "\(scene.origin)/openai/v1\n", "\(outcome.errors)")
    }

    @Test(arguments: [("exit 0", Int32(0)), ("exit 42", 42), ("kill -TERM $$", 128 + SIGTERM), ("kill -KILL $$", 128 + SIGKILL)])
    func `The exit code is the tool's own, and so is a signal`(script: String, code: Int32) throws {
        #expect(try scene.run("run", "--", "sh", "-c", script).code == code)
    }

    @Test func `The tool has the command's process id and input, and no child that it did not start`() throws {
        let children =
            "for stat in /proc/[0-9]*/stat; do read id name state parent rest < $stat; [ $parent = $$ ] && echo child; done; true"
        try scene.program("claude", "echo \"pid $$\"; cat; \(children)")
        let process = try scene.start(["run", "--", "claude"], input: "typed\n")
        #expect(process.wait() == 0)
        scene.adoptServer(of: process)
        #expect(process.output == "pid \(process.processID)\ntyped\n", "\(process.output)")
    }

    @Test func `The server is in a session of its own, where no Ctrl-C of the tool's terminal reaches it`() throws {
        _ = try scene.run("run", "--", "true")
        let process = try scene.start(["run", "--", "true"])
        #expect(process.wait() == 0 && process.errors.isEmpty, "it would say so if it started another one")
        let server = try #require(scene.serverIDs.first)
        #expect(getsid(server) != getsid(0) && getsid(server) > 0)
        #expect(
            try #require(Text.read("/proc/\(server)/stat").split(separator: ")").last).split(separator: " ")[1] == "1", "nobody's child")
    }

    @Test func `Several at once share one server`() throws {
        let all = try (0..<4).map { _ in try scene.start(["run", "--", "true"]) }
        for process in all {
            #expect(process.wait() == 0, "\(process.errors)")
            scene.adoptServer(of: process)
        }
        #expect(scene.serverIDs.count == 1, "one of them has started it")
        let third = try scene.run("run", "--", "true")
        #expect(third.code == 0 && third.errors.isEmpty)
    }

    @Test(arguments: [["run", "--help"], ["run", "-h"], ["help", "run"]])
    func `Its own help is asked for before the program, the program's behind it`(arguments: [String]) throws {
        let help = try scene.run(arguments)
        #expect(help.code == 0 && help.output.contains("USAGE: keybearer run"))
        #expect(try scene.run("run", "claude", "--help").output.hasPrefix("word <--help>\n"))
    }

    // MARK: What cannot be

    @Test func `Without a profile it says so, with the command that adds one, and starts nothing`() throws {
        let empty = try ToolScene()
        try empty.program("codex", "echo started")
        let outcome = try empty.run("run", "--", "codex")
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("keybearer: codex could not be answered: there is no profile of openai-codex that can be used"))
        #expect(outcome.errors.contains("keybearer models auth login --provider openai-codex"), "\(outcome.errors)")
        #expect(access(empty.state + "/logs", F_OK) != 0)
    }

    @Test(.enabled(if: access("/dev/pts/ptmx", F_OK) == 0))
    func `At a terminal a missing profile is added first, and then the tool starts`() throws {
        let empty = try ToolScene()
        try empty.program("agent", "echo base=$OPENAI_BASE_URL key=$OPENAI_API_KEY")
        let terminal = try PseudoTerminal()
        let process = try empty.keybearer.start(
            ["run", "--provider", "openai", "--", "agent"], terminal: terminal.path, variables: ["PATH": "\(empty.home)/bin:/usr/bin:/bin"])
        try process.waitFor { $0.contains("API key for openai (not shown): ") ? true : nil }
        terminal.type("sk-typed-canary\n")
        #expect(process.wait() == 0, "\(process.errors)")
        empty.adoptServer(of: process)
        #expect(process.output.contains("base=\(empty.origin)/openai/v1 key=keybearer-placeholder"), "\(process.output)")
        #expect(!(process.output + process.errors + terminal.shown()).contains("canary"))
        #expect(Text.read(empty.state + "/agents/main/agent/auth-profiles.json").contains("sk-typed-canary"))
    }

    @Test func `Another Keybearer's server is not taken for ours`() throws {
        try scene.folders("other")
        let server = try scene.start(["serve", "--state-dir", scene.home + "/other", "--listen", "127.0.0.1:\(scene.port)"])
        _ = try server.waitFor { $0.contains("listening on") ? true : nil }
        let outcome = try scene.run("run", "--", "true")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("a Keybearer with another state directory"), "\(outcome.errors)")
    }

    @Test func `Another program on the port is told apart`() throws {
        let sandbox = try scene.start(["sandbox", "--no-tls", "--port", "\(scene.port)"])
        for _ in 0..<1000 where !sandbox.output.contains("listening") { usleep(10_000) }
        let outcome = try scene.run("run", "--", "true")
        #expect(outcome.code == 1 && outcome.errors.contains("another program answers at 127.0.0.1:\(scene.port)"), "\(outcome.errors)")
    }

    @Test func `A server that cannot start is no silent failure`() throws {
        // Its log folder is a file.
        try Text.write("", to: scene.state + "/logs")
        let outcome = try scene.run("run", "--", "true")
        #expect(outcome.code == 1 && outcome.errors.contains("\(scene.state)/logs"), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }
}
