import Glibc
import Testing

@testable import keybearer

/// A home folder with a state directory on a port of its own, for commands that point tools at Keybearer.
final class ToolScene {
    let scratch: Scratch
    let keybearer: Executable
    let state: String
    /// Free a moment ago.
    let port: UInt16
    /// Servers that `run` has started, ended with the scene.
    private(set) var serverIDs: [pid_t] = []

    var home: String { scratch.path }
    var origin: String { "http://127.0.0.1:\(port)" }

    init(settings: String = "") throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        state = scratch.path + "/.keybearer"
        port = try #require(Self.freePort())
        try folders(".keybearer")
        try Text.write("{ listen: [\"127.0.0.1:\(port)\"], \(settings) }", to: state + "/keybearer.json5")
    }

    deinit {
        for id in serverIDs { kill(id, SIGKILL) }
    }

    /// Makes a folder in the home folder, with those above it, for the owner alone.
    func folders(_ path: String) throws {
        var folder = home
        for name in path.split(separator: "/") {
            folder += "/\(name)"
            mkdir(folder, 0o700)
        }
        try #require(access(folder, F_OK) == 0)
    }

    /// Profiles as a store has them.
    func store(_ profiles: String..., agent: String = "main", sink: String = ".keybearer") throws {
        try folders("\(sink)/agents/\(agent)/agent")
        let text = "{\"version\":1,\"profiles\":{\(profiles.joined(separator: ","))}}"
        try Text.write(text, to: "\(home)/\(sink)/agents/\(agent)/agent/auth-profiles.json")
    }

    static func key(_ id: String) -> String {
        "\"\(id)\":{\"type\":\"api_key\",\"provider\":\"\(id.split(separator: ":")[0])\",\"key\":\"sk-canary-0001\"}"
    }

    static func login(_ id: String, refresh: String = "canary-refresh") -> String {
        "\"\(id)\":{\"type\":\"oauth\",\"provider\":\"\(id.split(separator: ":")[0])\",\"access\":\"canary-access\","
            + "\"refresh\":\"\(refresh)\",\"expires\":4102444800000}"
    }

    /// An executable script in `bin`, which goes before everything else on the PATH.
    func program(_ name: String, _ script: String) throws {
        try folders("bin")
        try Text.write("#!/bin/sh\n\(script)\n", to: "\(home)/bin/\(name)")
        chmod("\(home)/bin/\(name)", 0o755)
    }

    /// Runs to the end; a server that it started belongs to the scene.
    func run(_ arguments: String...) throws -> Executable.Outcome { try run(arguments) }

    func run(_ arguments: [String], variables: [String: String] = [:]) throws -> Executable.Outcome {
        let process = try start(arguments, variables: variables)
        let code = process.wait()
        adoptServer(of: process)
        return Executable.Outcome(code: code, output: process.output, errors: process.errors)
    }

    func start(_ arguments: [String], input: String = "", variables: [String: String] = [:]) throws -> RunningProcess {
        let path = ["PATH": "\(home)/bin:/usr/bin:/bin"]
        return try keybearer.start(arguments, input: input, variables: path.merging(variables) { $1 })
    }

    /// Notes the server that a process says it has started.
    func adoptServer(of process: RunningProcess) {
        guard let place = process.errors.firstRange(of: "(process ") else { return }
        if let id = pid_t(process.errors[place.upperBound...].prefix { $0.isNumber }) { serverIDs.append(id) }
    }

    private static func freePort() -> UInt16? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0 }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }
}
