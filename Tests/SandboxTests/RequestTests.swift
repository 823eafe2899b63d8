import Testing

@testable import Sandbox

@Suite struct RequestTests {
    @Test func `forms are decoded as browsers write them`() {
        let pairs = Form.decode("a=1+2&b=%C3%A9&c&d=x%3Dy&e=%zz")
        #expect(pairs.map(\.name) == ["a", "b", "c", "d", "e"])
        #expect(pairs.map(\.value) == ["1 2", "é", "", "x=y", "%zz"])
        #expect(Form.decode("").isEmpty)
    }

    @Test(arguments: ["plain", "a b&c=d", "é✓", "~-._"])
    func `what is escaped comes back`(text: String) {
        #expect(Form.unescape(Form.escape(text).utf8) == text)
    }

    @Test(arguments: [
        ("POST", "/v1/messages", "", Door.model(.anthropic, .messages)),
        ("POST", "/backend-api/codex/responses", "", .model(.openaiCodex, .responses)),
        ("GET", "/v1/models", "", .model(.openai, .models)),
        ("GET", "/v1/models", "anthropic-version", .model(.anthropic, .models)),
        ("GET", "/v1/models", "x-goog-api-key", .model(.google, .models)),
        (
            "POST", "/v1beta/models/gemini-2.5-flash:generateContent", "",
            .model(.google, .generateContent(model: "gemini-2.5-flash", stream: false))
        ),
        ("POST", "/v1/models/m:streamGenerateContent", "", .model(.google, .generateContent(model: "m", stream: true))),
        ("POST", "/oauth/token", "", .token(.openai)), ("POST", "/v1/oauth/token", "", .token(.standard)),
        ("GET", "/sandbox/audit", "", .control("audit")), ("GET", "/v1/messages", "", nil),
        ("POST", "/v1beta/models/:generateContent", "", nil),
        ("POST", "/v1/models/m:countEverything", "", nil),
    ])
    func `each path leads to one door`(method: String, path: String, field: String, door: Door?) {
        let request = Request(method: method, path: path, query: [], fields: field.isEmpty ? [] : [(name: field, value: "x")])
        #expect(Door(request) == door)
    }

    @Test func `the download's pattern goes on without a seam from block to block`() {
        let whole = Array(Pattern.block(at: 0, count: 40_000))
        #expect(whole.count == 40_000)
        #expect(Array(Pattern.block(at: 33_333, count: 6_667)) == Array(whole[33_333...]))
        #expect(Pattern.block(at: 0, count: .max).count == Pattern.blockSize)
        #expect(whole[250] == 250 && whole[251] == 0)
    }

    @Test func `the audit keeps the last requests and marks the right one as aborted`() {
        var audit = Audit()
        let request = Request(
            method: "GET", path: "/x", query: [(name: "key", value: "hunter2")],
            fields: [(name: "authorization", value: "Bearer hunter2"), (name: "accept", value: "*/*")])
        for _ in 0..<(Audit.keptEntries * 2 + 5) { _ = audit.record(Audit.Entry(request)) }
        let last = audit.record(Audit.Entry(request))
        audit.markAborted(last - 1)
        // Forgotten long ago: counted, nothing else.
        audit.markAborted(1)
        #expect(audit.aborted == 2)
        #expect(audit.entries.suffix(3).map(\.aborted) == [false, true, false])
        #expect(audit.recorded == Audit.keptEntries * 2 + 6)
        #expect(!"\(audit.entries)".contains("hunter2"))
        #expect(audit.entries.last?.fields.last == Audit.Field(name: "accept", value: "*/*"))
    }
}
