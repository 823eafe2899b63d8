import JSON
import Testing

@testable import Sandbox

@Suite struct ModelAnswerTests {
    private func request(_ json: Value = ["model": "m"]) throws -> ModelRequest {
        var request = Request(method: "POST", path: "/", query: [], fields: [])
        request.body.prefix = Writer.compact(json)
        request.body.count = Int64(request.body.prefix.count)
        return try #require(ModelRequest(request))
    }

    private func pieces(_ fields: [(String, String)] = []) -> Pieces {
        let request = Request(method: "POST", path: "/", query: [], fields: fields.map { (name: $0.0, value: $0.1) })
        return Pieces(account: "acct-1", steering: Steering(request))
    }

    /// The JSON of each event; `[DONE]` as a string.
    private func values(_ script: EventScript) throws -> [Value] {
        try script.all().map { $0.data == Array("[DONE]".utf8) ? "[DONE]" : try Reader.parse($0.data) }
    }

    private let text = "Hello from account acct-1."

    @Test func `Anthropic's stream has its events in order and their names equal their types`() throws {
        let answer = AnthropicMessages.answer(to: try request(), id: "1", pieces: pieces())
        let events = answer.script.all()
        #expect(
            events.map(\.name) == ["message_start", "content_block_start", "ping"] + [String](repeating: "content_block_delta", count: 5)
                + [
                    "content_block_stop", "message_delta", "message_stop",
                ])
        let values = try values(answer.script)
        #expect(zip(events, values).allSatisfy { $0.name == $1["type"]?.string })
        #expect(values.compactMap { $0["delta"]?["text"]?.string }.joined() == text)
        #expect(values[0]["message"]?["usage"]?["input_tokens"]?.int64 == 12)
        #expect(values[9]["delta"]?["stop_reason"]?.string == "end_turn")
        #expect(values[9]["usage"]?["output_tokens"]?.int64 == 5)
        #expect(answer.plain(text)["content"]?.array?.first?["text"]?.string == text)
    }

    @Test func `a chat's chunks begin with the role, end with the reason and DONE`() throws {
        let answer = ChatCompletions.answer(to: try request(), id: "1", created: 1, pieces: pieces())
        let values = try values(answer.script)
        let choices = values.map { $0["choices"]?.array?.first }
        #expect(answer.script.all().allSatisfy { $0.name == nil })
        #expect(choices.first??["delta"]?["role"]?.string == "assistant")
        #expect(choices.compactMap { $0?["delta"]?["content"]?.string }.joined() == text)
        #expect(choices[choices.count - 2]?["finish_reason"]?.string == "stop")
        #expect(values.last == "[DONE]")
        #expect(values.dropLast().allSatisfy { $0["usage"] == .null })
    }

    @Test func `a chat tells its usage in a last chunk when asked to`() throws {
        let asked = try request(["model": "m", "stream": true, "stream_options": ["include_usage": true]])
        let values = try values(ChatCompletions.answer(to: asked, id: "1", created: 1, pieces: pieces()).script)
        let usage = values[values.count - 2]
        #expect(usage["choices"]?.array?.isEmpty == true)
        #expect(usage["usage"]?["total_tokens"]?.int64 == 17)
    }

    @Test(arguments: [1, 5, 40])
    func `Responses' events are numbered without a gap and repeat the text at the end`(count: Int) throws {
        let answer = Responses.answer(to: try request(), id: "1", created: 1, pieces: pieces([("sandbox-events", "\(count)")]))
        let values = try values(answer.script)
        #expect(values.map { $0["sequence_number"]?.int64 } == (0..<Int64(values.count)).map { $0 })
        let names = answer.script.all().map(\.name)
        #expect(
            names.filter { $0 != "response.output_text.delta" } == [
                "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
                "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
            ])
        #expect(names.count == count + 8)
        let whole = values.compactMap { $0["delta"]?.string }.joined()
        #expect(values.last?["response"]?["output"]?.array?.first?["content"]?.array?.first?["text"]?.string == whole)
        #expect(values.last?["response"]?["usage"]?["output_tokens"]?.int64 == Int64(count))
    }

    @Test func `Gemini's last chunk alone has a finish reason`() throws {
        let values = try values(GenerateContent.answer(to: try request(), id: "1", pieces: pieces()).script)
        let candidates = values.map { $0["candidates"]?.array?.first }
        #expect(candidates.map { $0?["finishReason"]?.string } == [nil, nil, nil, nil, "STOP"])
        #expect(candidates.compactMap { $0?["content"]?["parts"]?.array?.first?["text"]?.string }.joined() == text)
    }

    @Test(arguments: [(1, 1), (3, 3), (5, 5), (2000, 2000)])
    func `steered streams have as many deltas as asked and name the account`(asked: Int, expected: Int) {
        let pieces = pieces([("sandbox-events", "\(asked)")])
        #expect(pieces.count == expected)
        #expect(pieces.whole(now: 0).hasPrefix(text))
    }

    @Test func `deltas are padded or time-stamped on request`() {
        #expect(pieces([("sandbox-event-bytes", "100")]).text(at: 0, now: 0).utf8.count == 100)
        #expect(pieces([("sandbox-timestamps", "1")]).text(at: 3, now: 42) == "t=42 ")
    }

    @Test func `a body that is not an object is refused, a compressed one is not looked into`() throws {
        var request = Request(method: "POST", path: "/", query: [], fields: [])
        request.body.prefix = Array("[1]".utf8)
        request.body.count = 3
        #expect(ModelRequest(request) == nil)
        let fields = [(name: "content-encoding", value: "zstd"), (name: "accept", value: "text/event-stream")]
        var compressed = Request(method: "POST", path: "/", query: [], fields: fields)
        compressed.body = request.body
        #expect(ModelRequest(compressed)?.stream == true)
    }
}
