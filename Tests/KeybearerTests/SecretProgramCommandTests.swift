import Glibc
import Testing

@testable import keybearer

/// Secrets that a program says, by the real executable and its runner process.
@Suite struct SecretProgramCommandTests {
    private let scratch: Scratch
    private let keybearer: Executable
    private var state: String { scratch.path + "/.keybearer" }

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        for folder in ["", "/agents", "/agents/main", "/agents/main/agent"] { mkdir(state + folder, 0o700) }
    }

    /// A profile whose secret `script` says, and what else the settings are to say of the program.
    private func prepare(_ script: String, _ members: String = "") throws {
        let tool = scratch.path + "/tool"
        try Text.write("#!/bin/sh\n\(script)\n", to: tool)
        chmod(tool, 0o700)
        try Text.write(
            #"{ secrets: { providers: { vault: { source: "exec", command: "\#(tool)", timeoutMs: 1500, \#(members) } } } }"#,
            to: state + "/keybearer.json5")
        let store = state + "/agents/main/agent/auth-profiles.json"
        try Text.write(
            #"{"version":1,"profiles":{"openai:vault":{"type":"api_key","provider":"openai","keyRef":{"source":"exec","provider":"vault","id":"work"}}}}"#,
            to: store)
        chmod(store, 0o600)
    }

    @Test func `token asks the program and prints what it says`() throws {
        try prepare(#"read -r question; case "$question" in *'"ids":["work"]'*) echo sk-from-the-vault;; esac"#)
        let outcome = try keybearer.run("token", "openai:vault")
        #expect(outcome.code == 0 && outcome.output == "sk-from-the-vault\n", "\(outcome.errors)")
    }

    @Test func `The program has no variable but those it is given`() throws {
        try prepare(#"env | cut -d= -f1 | sort | tr '\n' ,"#, #"passEnv: ["HOME"], env: { MINE: "1" }"#)
        let outcome = try keybearer.run("token", "openai:vault", variables: ["OPENAI_API_KEY": "sk-env"])
        // A shell adds PWD (and _ in some).
        #expect(outcome.output.split(separator: ",").filter { !["PWD", "_", "SHLVL", "OLDPWD", "\n"].contains($0) } == ["HOME", "MINE"])
    }

    @Test(
        arguments: [
            ("sleep 60", "", "did not end in time"), ("sleep 60", "noOutputTimeoutMs: 200,", "said nothing for too long"),
            ("yes", "maxOutputBytes: 1024,", "said more than is allowed"), ("exit 1", "", "ended with code 1"),
            ("printf 'a b\\001'", "", "cannot be sent in a header"), ("echo plain", "jsonOnly: true,", "did not answer with JSON"),
            ("sleep 60 & sleep 60 & wait", "", "did not end in time"), ("kill -9 $$", "", "ended by signal 9"),
        ])
    func `One that misbehaves is ended and named`(script: String, members: String, words: String) throws {
        try prepare(script, members)
        let began = ContinuousClock.now
        let outcome = try keybearer.run("token", "openai:vault")
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        #expect(outcome.errors.contains(words) && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    @Test func `One that others may change is not run`() throws {
        try prepare("echo sk-x")
        chmod(scratch.path + "/tool", 0o777)
        #expect(try keybearer.run("token", "openai:vault").errors.contains("others can write"))
        try prepare("echo sk-x", "allowInsecurePath: true,")
        chmod(scratch.path + "/tool", 0o777)
        #expect(try keybearer.run("token", "openai:vault").output == "sk-x\n")
    }

    @Test func `status runs no program, and doctor says why one fails`() throws {
        try prepare("touch \(scratch.path)/ran; exit 3")
        let status = try keybearer.run("models", "status")
        #expect(status.output.contains("its secret is asked of a program when it is used"))
        #expect(access(scratch.path + "/ran", F_OK) != 0)
        #expect(try keybearer.run("doctor").everything.contains("ended with code 3"))
    }

    @Test func `The runner goes when the command goes, and is not in its terminal's way`() throws {
        try prepare("echo sk-x")
        let name = "keybearer-runner"
        _ = try keybearer.run("token", "openai:vault")
        let process = try keybearer.start(["serve", "--listen", "127.0.0.1:0"])
        let runner = try process.waitFor { _ in Self.children(of: process.processID).first { Self.commandLine($0) == name } }
        #expect(Self.environment(runner).isEmpty)
        #expect(getpgid(runner) == runner, "a group of its own: Ctrl-C is not for it")
        process.signal(SIGKILL)
        _ = process.wait()
        for _ in 0..<200 where kill(runner, 0) == 0 && Self.commandLine(runner) == name { usleep(10_000) }
        #expect(Self.commandLine(runner) != name, "killed, its owner takes it along")
    }

    private static func children(of process: pid_t) -> [pid_t] {
        Text.read("/proc/\(process)/task/\(process)/children").split(separator: " ").compactMap { pid_t($0) }
    }
    private static func commandLine(_ process: pid_t) -> String { Text.read("/proc/\(process)/cmdline").replacing("\0", with: "") }
    private static func environment(_ process: pid_t) -> String { Text.read("/proc/\(process)/environ") }
}
