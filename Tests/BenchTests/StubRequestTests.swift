import Testing

@testable import Bench

/// What the stub is asked for.
@Suite struct StubRequestTests {
    private func request(_ target: String) -> StubRequest { Array(target.utf8).withUnsafeBytes { StubRequest($0) } }

    @Test(arguments: [
        ("/v1/messages", StubRequest.Kind.json, 2048, 0, false), ("/anthropic/v1/messages?beta=true", .json, 2048, 0, false),
        ("/sse?n=2000", .events, 2000, 0, false), ("/sse?n=50&ms=20", .events, 50, 20, false), ("/p/sse?ms=5&n=3", .events, 3, 5, false),
        ("/sse?n=1000000&idle=1", .events, 1_000_000, 0, true), ("/sse", .events, 10, 0, false), ("/sse?n=0", .events, 1, 0, false),
        ("/download?bytes=16777216", .download, 16_777_216, 0, false), ("/download", .download, 1 << 20, 0, false),
        ("/other", .refusal, 6, 0, false), ("/", .refusal, 6, 0, false),
    ])
    func `The target says it`(target: String, kind: StubRequest.Kind, count: Int, pace: Int, isHeld: Bool) {
        let request = request(target)
        #expect(request.kind == kind && request.count == count && request.pace == pace && request.isHeld == isHeld, "\(request)")
        #expect(request.status == (kind == .refusal ? 404 : 200))
    }

    @Test(arguments: [("/sse?n=5", 5), ("/sse?n=5&ms=1", 1), ("/sse?n=5&idle=1", 1)])
    func `Paced and held streams begin with one event`(target: String, count: Int) {
        #expect(request(target).eventsAtOnce == count)
    }

    @Test func `A number that no counter holds is cut`() {
        #expect(request("/download?bytes=99999999999999999999999").count < 1 << 55)
    }
}
