import Glibc
import Sockets
import Testing

@testable import Bench

/// Real loads, short ones, on the real stub.
@Suite(.serialized) struct LoadTests {
    private static let credential = [("Authorization", "Bearer s"), ("ChatGPT-Account-Id", "a")]

    /// Runs a plan on a stub of its own; `change` makes the plan.
    private func run(overTLS: Bool = false, http2: Bool, path: String, change: (inout LoadPlan) -> Void = { _ in }) throws -> LoadReport {
        var setup = Upstream.Setup(authorization: "Bearer s", account: "a")
        let identity = try ThrowAwayIdentity()
        if overTLS { (setup.certificate, setup.key) = (identity.certificate, identity.key) }
        let upstream = try RunningUpstream.start(setup)
        var plan = LoadPlan(
            target: LoadTarget(loopback: upstream.address.port, path: path, host: overTLS ? "localhost" : "127.0.0.1", usesTLS: overTLS))
        plan.usesHTTP2 = http2
        plan.connections = 2
        plan.streams = http2 ? 3 : 1
        plan.warmUp = 0
        plan.duration = 0.2
        plan.fields = Self.credential
        change(&plan)
        let authority = "/tmp/keybearer-bench-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).pem"
        try FileText.write(identity.authority, to: authority)
        plan.caFile = authority
        defer { unlink(authority) }
        let report = Result { try Load.run(plan) }
        upstream.stop()
        return try report.get()
    }

    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func `Requests are answered, and every answer is whole`(overTLS: Bool, http2: Bool) throws {
        for (path, body, expectation): (String, Int, ExpectedAnswer) in [
            ("/v1/messages", 4096, .bytes(2048)), ("/v1/messages", 300_000, .bytes(2048)), ("/sse?n=300", 0, .events(300)),
            ("/sse?n=5&ms=2", 10, .events(5)), ("/download?bytes=1000001", 0, .bytes(1_000_001)),
        ] {
            let report = try run(overTLS: overTLS, http2: http2, path: path) {
                $0.bodySize = body
                $0.expectation = expectation
            }
            #expect(report.errors == 0, "\(path): \(report.firstError ?? "")")
            #expect(report.requests > 0 && report.latency.count == report.requests && report.firstByte.count == report.requests, "\(path)")
            #expect(report.reconnects == 0)
            if case .events = expectation { #expect(report.events > 0 && report.eventDelay.count > 0, "\(path)") }
        }
    }

    @Test(arguments: [false, true])
    func `An open loop makes as many requests as were asked for`(http2: Bool) throws {
        let report = try run(http2: http2, path: "/v1/messages") {
            $0.rate = 200
            $0.duration = 0.5
        }
        #expect(report.errors == 0)
        #expect(report.requests <= 105, "\(report.requests)")
        #expect(report.requests > 20, "\(report.requests)")
    }

    @Test(arguments: [false, true])
    func `Streams are held open`(http2: Bool) throws {
        let report = try run(http2: http2, path: "/sse?n=1000&idle=1") {
            $0.hold = 0.1
            $0.expectation = .events(0)
        }
        #expect(report.errors == 0)
        #expect(report.held == (http2 ? 6 : 2) && report.open == report.held)
    }

    @Test(arguments: [false, true])
    func `A credential that is missing, wrong or a client's own is counted as an error`(http2: Bool) throws {
        for (fields, status) in [
            ([], 401), ([("Authorization", "Bearer s")], 401), ([("Authorization", "Bearer t"), ("ChatGPT-Account-Id", "a")], 401),
            (Self.credential + [("X-Api-Key", "k")], 403), (Self.credential + [("Authorization", "Bearer s")], 401),
        ] {
            let report = try run(http2: http2, path: "/v1/messages") { $0.fields = fields }
            #expect(report.requests == 0 && report.errors > 0)
            #expect(report.firstError == "status \(status)", "\(fields)")
        }
    }

    @Test(arguments: [false, true])
    func `What is not what was expected is told`(http2: Bool) throws {
        for (path, expectation, text): (String, ExpectedAnswer, String) in [
            ("/v1/messages", .bytes(1), "2048 bytes instead of 1"), ("/sse?n=4", .events(5), "4 events instead of 5"),
            ("/nothing", .success, "status 404"),
        ] {
            #expect(try run(http2: http2, path: path) { $0.expectation = expectation }.firstError == text)
        }
    }

    @Test func `Nobody there is an error and no endless try`() throws {
        let listener = try TCP.listen(on: .loopback(0))
        let port = TCP.localAddress(of: listener)?.port ?? 0
        listener.discard()
        var plan = LoadPlan(target: LoadTarget(loopback: port, path: "/"))
        plan.warmUp = 0
        let report = try Load.run(plan)
        #expect(report.errors == 1)
        #expect(report.firstError == "127.0.0.1:\(port): Connection refused")
    }

    @Test func `Phases are told in order, and a load can be stopped`() throws {
        let upstream = try RunningUpstream.start(Upstream.Setup())
        var plan = LoadPlan(target: LoadTarget(loopback: upstream.address.port, path: "/v1/x"))
        plan.warmUp = 0.05
        plan.duration = 3_600
        var phases: [Load.Phase] = []
        let report = try Load.run(plan) {
            phases.append($0)
        } isStopped: {
            phases.count > 1
        }
        upstream.stop()
        #expect(phases == [.warming, .measuring, .over])
        #expect(report.errors == 0)
    }
}
