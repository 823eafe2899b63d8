import CLinux
import Glibc
import JSON
import Synchronization

@testable import Sandbox

/// The `curl` binary as a client that knows nothing of ours: real TLS, real HTTP.
struct Curl {
    /// What a run of curl came to.
    struct Answer {
        /// curl's exit code: 0, 18 (partial file), 52 (empty reply), 56 (receive failure), 60 (certificate)…
        let exit: Int32
        /// The HTTP status; 0 when none came.
        let status: Int
        let body: String

        var json: Value? { try? Reader.parse(Array(body.utf8)) }
    }

    /// Kept alive: it stops its sandbox when it goes.
    let running: Running
    private var sandbox: SandboxServer { running.sandbox }

    init(_ running: Running) { self.running = running }

    /// Asks for `path`; `arguments` as curl takes them.
    func callAsFunction(_ path: String, _ arguments: String...) -> Answer {
        let all = ["-sS", "--max-time", "30", "--cacert", sandbox.caFile, "-w", "\n%{http_code}"] + arguments + [sandbox.baseURL + path]
        let (exit, output) = Self.run(all)
        let parts = output.split(separator: "\n", omittingEmptySubsequences: false)
        return Answer(exit: exit, status: Int(parts.last ?? "") ?? 0, body: parts.dropLast().joined(separator: "\n"))
    }

    private static let runs = Atomic(0)

    /// Runs curl; its exit code and standard output.
    static func run(_ arguments: [String]) -> (exit: Int32, output: String) {
        // A file that only the child opens: a pipe's end could be inherited by another test's curl, and then never ends.
        let path = "/tmp/keybearer-curl-\(getpid())-\(runs.add(1, ordering: .relaxed).newValue)"
        defer { unlink(path) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 1, path, O_CREAT | O_EXCL | O_WRONLY, 0o600)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var child = pid_t()
        let words: [UnsafeMutablePointer<CChar>?] = (["curl"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        guard posix_spawnp(&child, "curl", &actions, nil, words, environ) == 0 else { return (-1, "") }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            output += buffer[..<count]
        }
        return ((status >> 8) & 0xff, String(decoding: output, as: UTF8.self))
    }
}

/// A directory for one test, removed with everything in it.
final class TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/keybearer-sandbox-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit {
        for name in ["sandbox-ca.pem", "body"] { unlink(path + "/" + name) }
        rmdir(path)
    }
}

/// A sandbox for one test, stopped at its end.
final class Running {
    let directory = TemporaryDirectory()
    let sandbox: SandboxServer
    var curl: Curl { Curl(self) }

    init(_ change: (inout SandboxServer.Options) -> Void = { _ in }) throws {
        var options = SandboxServer.Options(directory: directory.path)
        options.eventInterval = .zero
        change(&options)
        sandbox = try SandboxServer(options)
    }

    deinit { sandbox.stop() }
}
