import Glibc
import Sockets
import Synchronization
import Testing

@testable import keybearer

/// Servers as processes: how they start, answer and end.
@Suite struct ServeTests {
    private let scratch: Scratch
    private let keybearer: Executable

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
    }

    private func port(_ process: RunningProcess) throws -> UInt16 {
        try process.waitFor { log in
            guard let line = log.split(separator: "\n").first(where: { $0.contains("listening on 127.0.0.1:") }) else { return nil }
            return line.split(separator: ":").last.flatMap { UInt16($0.prefix { $0.isNumber }) }
        }
    }

    private func serve(_ more: String...) throws -> RunningProcess {
        try keybearer.start(["serve", "--listen", "127.0.0.1:0"] + more)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `It answers on the port that the log names, and ends with 0 when told to stop`(signal: Int32) throws {
        let process = try serve()
        let answer = DemoClient(port: try port(process))?.post("/-/nothing", json: "{}")
        #expect(answer?.status == 404 && answer?.isWhole == true)
        process.signal(signal)
        #expect(process.wait() == 0)
        #expect(process.errors.contains("\"message\":\"stopped\""), "\(process.errors)")
        #expect(process.output.isEmpty)
    }

    @Test func `Settings that change are in force by themselves, and on SIGHUP; wrong ones change nothing and are told of`() throws {
        let state = scratch.path + "/reload"
        mkdir(state, 0o700)
        let path = state + "/keybearer.json5"
        func settings(_ provider: String) -> String { "{ providers: { \(provider): { baseURL: 'https://\(provider).test' } } }" }
        try Text.write(settings("one"), to: path)
        let process = try serve("--state-dir", state)
        let port = try port(process)
        // A provider without a profile is refused with 403, one that is unknown with 404.
        func status(_ provider: String) -> Int? {
            let answer = DemoClient(port: port)?.post("/\(provider)/x", json: "{}")
            return answer?.status
        }
        func becomes(_ wanted: Int, _ provider: String) -> Bool {
            for _ in 0..<200 {
                if status(provider) == wanted { return true }
                usleep(20_000)
            }
            return false
        }
        #expect(status("one") == 403 && status("two") == 404)
        try Text.write(settings("two"), to: path)
        #expect(becomes(403, "two") && becomes(404, "one"))
        try Text.write("{ providers: { three: { baseURL: 5 } } }", to: path)
        #expect(try process.waitFor { $0.contains("the last ones stay in force") && $0.contains("three") ? true : nil })
        #expect(status("two") == 403 && status("three") == 404)
        unlink(path)
        #expect(try process.waitFor { $0.contains("keybearer.json5 is gone") ? true : nil })
        #expect(status("two") == 403)
        process.signal(SIGHUP)
        #expect(becomes(404, "two"))
        process.signal(SIGTERM)
        #expect(process.wait() == 0)
    }

    @Test func `The log is JSON where nobody watches, and text where the settings say so`() throws {
        let process = try serve()
        _ = try port(process)
        #expect(process.errors.hasPrefix("{\"time\":\"20"))
        mkdir(scratch.path + "/text", 0o700)
        try Text.write("{ log: { format: 'text' } }", to: scratch.path + "/text/keybearer.json5")
        let text = try serve("--state-dir", scratch.path + "/text")
        _ = try port(text)
        #expect(text.errors.contains("Z info: listening on 127.0.0.1:"))
    }

    @Test func `A second one on the same address says what to do, with exit code 1`() throws {
        let first = try serve()
        let address = "127.0.0.1:\(try port(first))"
        let second = try keybearer.run("serve", "--listen", address)
        #expect(second.code == 1)
        #expect(
            second.errors.contains("keybearer: ") && second.errors.contains(address) && second.errors.contains("--listen"),
            "\(second.errors)")
    }

    @Test func `It dumps no core, unless that was asked for`() throws {
        let process = try keybearer.start(["serve", "--listen", "127.0.0.1:0"], variables: ["KEYBEARER_DEBUG": "0"])
        _ = try port(process)
        #expect(coreLimit(of: process) == ["0", "0"])
        let debugged = try keybearer.start(["serve", "--listen", "127.0.0.1:0"], variables: ["KEYBEARER_DEBUG": "1"])
        _ = try port(debugged)
        #expect(coreLimit(of: debugged) == coreLimit(of: nil))
        #expect(debugged.errors.contains("KEYBEARER_DEBUG=1: core dumps and debuggers are allowed"))
        #expect(!process.errors.contains("KEYBEARER_DEBUG"))
    }

    /// The files in /proc of a process that must not be dumped belong to root (proc(5)), which shows to others only.
    @Test(.enabled(if: getuid() != 0)) func `No debugger of the same user may look into it`() throws {
        let process = try serve()
        _ = try port(process)
        var info = stat()
        #expect(stat("/proc/\(process.processID)/maps", &info) == 0 && info.st_uid == 0)
    }

    /// The soft and hard limit of a process, or of this one.
    private func coreLimit(of process: RunningProcess?) -> [Substring] {
        let limits = Text.read("/proc/\(process.map { "\($0.processID)" } ?? "self")/limits")
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        return Array(line?.split(separator: " ").dropFirst(4).prefix(2) ?? [])
    }

    @Test func `A sandbox and a proxy in two processes serve a request that refreshes an expired login`() throws {
        let state = scratch.path + "/try"
        let sandbox = try keybearer.start(["sandbox", "--write-state", state])
        for _ in 0..<1000 where !sandbox.output.contains("keybearer serve --state-dir") { usleep(10_000) }
        let process = try serve("--state-dir", state)
        let answer = DemoClient(port: try port(process))?.post("/openai-codex/responses", json: #"{"model":"m","input":"hi"}"#)
        #expect(answer?.status == 200 && answer?.isWhole == true)
        #expect(answer?.field("keybearer-profile") == "openai-codex:work")
        #expect(process.errors.contains("refreshed openai-codex:work"))
        for running in [process, sandbox] {
            running.signal(SIGTERM)
            #expect(running.wait() == 0)
        }
    }

    @Test func `Told to stop it lets a stream end, and told twice it cuts it`() throws {
        let state = scratch.path + "/try"
        let sandbox = try keybearer.start(["sandbox", "--write-state", state, "--no-tls"])
        for _ in 0..<1000 where !sandbox.output.contains("keybearer serve --state-dir") { usleep(10_000) }
        for (events, signals) in [(40, 1), (1000, 2)] {
            let process = try serve("--state-dir", state)
            let port = try port(process)
            let tool = Tool()
            tool.start(port, events: events)
            #expect(try process.waitFor { _ in tool.isConnected ? true : nil })
            // The stream has begun by then, on a machine with other work as well, and is far from its end.
            usleep(1_500_000)
            for _ in 0..<signals {
                process.signal(SIGTERM)
                usleep(200_000)
            }
            #expect(process.wait() == 0)
            let answer = tool.answer()
            #expect(answer.status == 200)
            #expect(answer.isWhole == (signals == 1), "after \(signals): \(answer.body.count) bytes")
        }
    }

    /// A tool that reads a slow stream on a thread of its own.
    private final class Tool: Sendable {
        private let connected = Latch()
        private let result = Mutex<DemoAnswer?>(nil)

        var isConnected: Bool { connected.isRaised }

        func start(_ port: UInt16, events: Int) {
            Thread(name: "tool") {
                let client = DemoClient(port: port)
                self.connected.raise()
                let answer = client?.post(
                    "/openai/v1/responses", json: #"{"model":"m","input":"hi","stream":true}"#,
                    fields: [("Sandbox-Interval", "100ms"), ("Sandbox-Events", "\(events)")])
                self.result.withLock { $0 = answer ?? DemoAnswer() }
            }.detach()
        }

        func answer() -> DemoAnswer {
            while true {
                if let answer = result.withLock({ $0 }) { return answer }
                usleep(5000)
            }
        }
    }

    @Test func `The demo holds on a machine with nothing set up, and leaves nothing behind`() throws {
        let temporary = scratch.path + "/tmp"
        mkdir(temporary, 0o700)
        let process = try RunningProcess(
            Executable.path, ["demo", "--once"], input: "", environment: Executable.sanitizerOptions.merging(["TMPDIR": temporary]) { $1 },
            folder: scratch.path)
        #expect(process.wait() == 0, "\(process.output)\(process.errors)")
        #expect(process.output.contains("✓") && !process.output.contains("✗"), "\(process.output)")
        #expect(rmdir(temporary) == 0, "the temporary folder is not empty")
        #expect(access(scratch.path + "/.keybearer", F_OK) != 0)
    }
}
