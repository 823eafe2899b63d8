import Digest
import JSON
import Sockets
import Synchronization
import Testing

/// The corpus of ambiguous requests (`Tests/HTTPTests/Corpus`) through a running server: what a strict parser refuses never becomes a
/// request of the provider's (spec/threats.md §1, §5).
@Suite(.serialized) struct AmbiguousRequestTests {
    private struct Case: Sendable {
        let name: String
        let bytes: [UInt8]
        /// `ok`, `bad` or `incomplete`.
        let verdict: String
        /// Complete requests that a strict parser reads before it comes to that end.
        let requests: Int
    }

    private static let settings =
        #"{ gate: { hosts: ["example.com", "foo.com", "domain.com"] }, routes: { default: "anthropic" }, upstream: { idlePerKey: 0 } }"#
    private static let store =
        #"{"version":1,"profiles":{"anthropic:default":{"type":"api_key","provider":"anthropic","key":"sk-one"}}}"#

    @Test func nothingThatAStrictParserRefusesReachesTheProvider() throws {
        let stage = try Stage(settings: Self.settings, stores: ["main": Self.store])
        defer { stage.end() }
        let provider = RecordingProvider(stage)
        let cases = try Self.corpus()
        #expect(cases.count == 351)
        var forwarded = 0
        for item in cases {
            let client = stage.dial()
            client.send(item.bytes)
            while case .bytes = client.receive(within: 20) {}
            client.close()
            Self.waitForTheWorker(stage)
            let seen = provider.collect()
            if seen.complete.count > item.requests {
                Issue.record("\(item.name): \(seen.complete.count) requests for \(item.requests): \(seen.complete)")
            }
            for violation in seen.violations { Issue.record("\(item.name): \(violation)") }
            forwarded += seen.complete.count
        }
        provider.stop()
        // The proof is worth nothing if everything is refused.
        #expect(forwarded >= 40, "only \(forwarded) requests were forwarded")
    }

    /// An answer of the only worker tells that it has seen what came before.
    private static func waitForTheWorker(_ stage: Stage) {
        let probe = stage.dial()
        probe.send(Array("GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        while case .bytes = probe.receive(within: 2_000) {}
    }

    private static func corpus() throws -> [Case] {
        let path = String(#filePath.dropLast("ProxyTests/AmbiguousRequestTests.swift".count)) + "HTTPTests/Corpus/http1.jsonl"
        return try TestFolder.text(of: path).split(separator: "\n").map { line in
            let item = try Reader.parse(Array(line.utf8))
            let text = (item["b64"]?.string ?? "").replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            return Case(
                name: item["name"]?.string ?? "", bytes: Base64URL.decode(text) ?? [], verdict: item["strict"]?.string ?? "",
                requests: Int(item["strict_requests"]?.int64 ?? -1))
        }
    }
}

/// Answers every request with an empty 200 and notes what came. A request counts once it is complete; what ends within one does not.
private final class RecordingProvider: Sendable {
    struct Seen {
        var complete: [String] = []
        var violations: [String] = []
    }
    private let seen = Mutex(Seen())
    private let open = Atomic(0)
    private let isOver = Atomic(false)
    private let crew = Crew()

    init(_ stage: Stage) {
        crew.start {
            while !self.isOver.load(ordering: .relaxed) {
                guard let socket = stage.accept(within: 50) else { continue }
                self.open.add(1, ordering: .acquiringAndReleasing)
                self.crew.start {
                    self.serve(socket)
                    self.open.subtract(1, ordering: .acquiringAndReleasing)
                }
            }
        }
    }

    private func serve(_ socket: PlainSocket) {
        var reader = MessageReader(socket)
        while true {
            do throws(Mismatch) {
                try reader.readHead(isRequest: true)
                let keys = reader.values(of: "x-api-key")
                if keys != ["sk-one"] { note("credentials \(keys) in \(reader.startLine)") }
                if reader.values(of: "host").count != 1 { note("hosts \(reader.values(of: "host"))") }
                _ = try reader.readBody()
                seen.withLock { $0.complete.append(reader.startLine) }
                socket.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))
            } catch {
                if !error.isEndOfConnection { note("expected \(error.expected), got \(error.got)") }
                return socket.close()
            }
        }
    }

    private func note(_ violation: String) { seen.withLock { $0.violations.append(violation) } }

    /// What came since the last call; waits until no connection is open (the proxy keeps none idle here).
    func collect() -> Seen {
        for _ in 0..<1_000 where open.load(ordering: .acquiring) > 0 { Pause.milliseconds(2) }
        return seen.withLock { seen in
            defer { seen = Seen() }
            return seen
        }
    }

    func stop() {
        isOver.store(true, ordering: .relaxed)
        crew.join()
    }
}
