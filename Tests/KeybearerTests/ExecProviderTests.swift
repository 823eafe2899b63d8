import Glibc
import JSON
import Testing

@testable import keybearer

/// A provider whose tokens a program says, from the file that declares it to the token that is printed.
@Suite struct ExecProviderTests {
    private let scratch: Scratch
    private let keybearer: Executable
    private var state: String { scratch.path + "/.keybearer" }

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        mkdir(state, 0o700)
        mkdir(state + "/providers", 0o700)
    }

    private func prepare(_ script: String, _ members: String = "") throws {
        let tool = scratch.path + "/tool"
        try Text.write("#!/bin/sh\necho >> \(scratch.path)/runs\n\(script)\n", to: tool)
        chmod(tool, 0o700)
        try Text.write(
            #"{ cloud: { baseURL: "https://cloud.example", exec: { command: "\#(tool)", timeout: "1500ms", \#(members) } } }"#,
            to: state + "/providers/cloud.json5")
    }

    private func login(_ arguments: String...) throws -> Executable.Outcome {
        try keybearer.start(["models", "auth", "login", "--provider", "cloud"] + arguments).outcome
    }

    private var runs: Int { Text.read(scratch.path + "/runs").count }

    @Test func `A login asks the program once; the token is used until it ends, and asked for again then`() throws {
        try prepare(#"echo "{\"token\": \"cloud-token-$$\", \"expires_at\": $(($(date +%s) + 600))}""#)
        let stored = try login()
        #expect(
            stored.code == 0 && stored.output.hasPrefix("stored cloud:default (asked for whenever it is needed"), "\(stored.everything)")
        #expect(!stored.everything.contains("cloud-token"))
        let store = Text.read(state + "/agents/main/agent/auth-profiles.json")
        #expect(
            try Reader.parse(Array(store.utf8))["profiles"]?["cloud:default"] == ["type": "token", "provider": "cloud", "onDemand": true])
        let first = try keybearer.run("token", "cloud:default")
        #expect(first.code == 0 && first.output.hasPrefix("cloud-token-"), "\(first.errors)")
        #expect(try keybearer.run("token", "cloud:default").output == first.output && runs == 1)
        let renewed = try keybearer.run("token", "cloud:default", "--min-validity", "1h")
        #expect(renewed.output != first.output && renewed.output.hasPrefix("cloud-token-") && runs == 2, "\(renewed.errors)")
        let status = try keybearer.run("models", "status")
        #expect(status.output.contains("asked for whenever it is needed") && status.code == 0)
        #expect(try keybearer.run("models", "status", "--check").code == 0)
        #expect(try login().output.hasPrefix("replaced cloud:default"))
        #expect(try keybearer.run("models", "auth", "logout", "cloud:default").code == 0)
    }

    @Test func `A program may say the token alone`() throws {
        try prepare("printf '  plain-token-of-pass\\n\\n'", #"output: "text", life: "10m""#)
        #expect(try login().code == 0)
        #expect(try keybearer.run("token", "cloud:default").output == "plain-token-of-pass\n")
    }

    @Test func `It has HOME, PATH and LANG, what it is given, and nothing else`() throws {
        try prepare(
            #"echo "{\"token\": \"$(env | cut -d= -f1 | sort | tr '\n' ,)\"}""#, #"passEnv: ["MINE", "ABSENT"], env: { FIXED: "1" }"#)
        #expect(
            try keybearer.start(["models", "auth", "login", "--provider", "cloud"], variables: ["MINE": "1", "OPENAI_API_KEY": "k"]).wait()
                == 0)
        let names = try keybearer.run("token", "cloud:default").output.split(whereSeparator: { ",\n".contains($0) })
        #expect(names.filter { !["PWD", "_", "SHLVL", "OLDPWD"].contains($0) } == ["FIXED", "HOME", "MINE", "PATH"])
    }

    @Test(arguments: [
        ("sleep 60", "", "did not end in time and was ended"), ("yes", "", "said more than is allowed and was ended"),
        ("sleep 60 & sleep 60 & wait", "", "did not end in time and was ended"),
        ("exit 1", "", "ended with code 1"), ("kill -9 $$", "", "was ended by signal 9"),
        ("echo garbage-sk-canary", "", "said no token at token"),
        ("echo '{}'", "", "said no token at token"), ("echo '{\"token\": \"two words\"}'", "", "said no token at token"),
        ("echo '{\"token\": 1}'", "", "said no token"), ("echo 'two words'", #"output: "text""#, "said no token"),
        ("printf 'a\\000b'", #"output: "text""#, "said no token"), (":", #"output: "text""#, "said no token"),
        ("echo '{\"token\": \"t\", \"expires_at\": 1700000000}'", "", "said a token that has ended"),
    ])
    func `One that misbehaves is ended and named, and nothing is stored`(script: String, members: String, words: String) throws {
        try prepare(script, members)
        let began = ContinuousClock.now
        let outcome = try login()
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        #expect(outcome.errors.contains(words) && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        #expect(!outcome.errors.contains("canary") && outcome.errors.contains("nothing was stored"))
        #expect(Text.read(state + "/agents/main/agent/auth-profiles.json").isEmpty)
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    @Test func `A program that others can write is not run`() throws {
        try prepare("echo '{\"token\": \"t\"}'")
        chmod(scratch.path + "/tool", 0o722)
        let outcome = try login()
        #expect(outcome.code == 1 && outcome.errors.contains("tool is not run:") && runs == 0, "\(outcome.errors)")
    }

    @Test func `A name is looked for in PATH, and may be a link there`() throws {
        try prepare("echo '{\"token\": \"by-name\"}'")
        mkdir(scratch.path + "/bin", 0o700)
        symlink(scratch.path + "/tool", scratch.path + "/bin/cloud-tool")
        try Text.write(
            #"{ cloud: { baseURL: "https://cloud.example", exec: { command: "cloud-tool" } } }"#, to: state + "/providers/cloud.json5")
        let path = ["PATH": "\(scratch.path)/bin:/usr/bin:/bin"]
        #expect(try keybearer.start(["models", "auth", "login", "--provider", "cloud"], variables: path).wait() == 0)
        #expect(try login().code == 1, "it is nowhere else")
    }

    @Test func `Another credential of that name is not replaced by mistake`() throws {
        try prepare("echo '{\"token\": \"t\"}'")
        #expect(
            try keybearer.run("models", "auth", "paste-token", "--provider", "cloud", "--profile-id", "cloud:default", input: "mine").code
                == 0)
        #expect(try login().code == 64)
        #expect(try login("--profile-id", "cloud:other").code == 0)
        #expect(try login("--replace").output.hasPrefix("replaced cloud:default"))
    }

    @Test func `Without a command nothing is run, and the file's flaw is told`() throws {
        try Text.write("{ cloud: { baseURL: \"https://cloud.example\", exec: {} } }", to: state + "/providers/cloud.json5")
        let outcome = try login()
        #expect(outcome.code == 78 && outcome.errors.contains("cloud.json5:1:46: providers.cloud.exec: expected the member \"command\""))
    }
}

extension RunningProcess {
    /// What it came to, once it has ended.
    fileprivate var outcome: Executable.Outcome {
        let code = wait()
        return Executable.Outcome(code: code, output: output, errors: errors)
    }
}
