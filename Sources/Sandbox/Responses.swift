internal import JSON

/// OpenAI's Responses API, which Codex speaks too: named events with a running `sequence_number`
/// (platform.openai.com/docs/api-reference/responses-streaming).
enum Responses {
    static func answer(to request: ModelRequest, id: String, created: Int64, pieces: Pieces) -> ModelAnswer {
        let response: @Sendable (_ status: String, _ output: Value, _ usage: Value) -> Value = { status, output, usage in
            [
                "id": "resp_\(id)", "object": "response", "created_at": .integer(created), "status": .string(status), "background": false,
                "error": nil, "incomplete_details": nil, "instructions": nil, "max_output_tokens": nil, "metadata": [:],
                "model": .string(request.model), "output": output, "parallel_tool_calls": true, "previous_response_id": nil,
                "reasoning": ["effort": nil, "summary": nil], "store": false, "temperature": 1, "text": ["format": ["type": "text"]],
                "tool_choice": "auto", "tools": [], "top_p": 1, "truncation": "disabled", "usage": usage, "user": nil,
            ]
        }
        let item: @Sendable (_ status: String, _ content: Value) -> Value = { status, content in
            ["id": "msg_\(id)", "type": "message", "status": .string(status), "role": "assistant", "content": content]
        }
        let place: [(String, Value)] = [("item_id", "msg_\(id)"), ("output_index", 0), ("content_index", 0)]
        let count = Int64(pieces.count)
        let usage: Value = [
            "input_tokens": 12, "input_tokens_details": ["cached_tokens": 0], "output_tokens": .integer(count),
            "output_tokens_details": ["reasoning_tokens": 0], "total_tokens": .integer(12 + count),
        ]
        let script = EventScript(
            opening: [
                event("response.created", 0, [("response", response("in_progress", [], nil))]),
                event("response.in_progress", 1, [("response", response("in_progress", [], nil))]),
                event("response.output_item.added", 2, [("output_index", 0), ("item", item("in_progress", []))]),
                event("response.content_part.added", 3, place + [("part", part(""))]),
            ],
            pieces: pieces,
            delta: { index, text in
                event("response.output_text.delta", Int64(index) + 4, place + [("delta", .string(text)), ("logprobs", [])])
            },
            closing: { text in
                let done = item("completed", [part(text)])
                return [
                    event("response.output_text.done", count + 4, place + [("text", .string(text)), ("logprobs", [])]),
                    event("response.content_part.done", count + 5, place + [("part", part(text))]),
                    event("response.output_item.done", count + 6, [("output_index", 0), ("item", done)]),
                    event("response.completed", count + 7, [("response", response("completed", [done], usage))]),
                ]
            })
        return ModelAnswer(
            plain: { text in response("completed", [item("completed", [part(text)])], usage) }, script: script)
    }

    private static func event(_ type: String, _ sequence: Int64, _ members: [(String, Value)]) -> StreamEvent {
        StreamEvent(type, .object(Object([("type", .string(type)), ("sequence_number", .integer(sequence))] + members)))
    }

    private static func part(_ text: String) -> Value {
        ["type": "output_text", "annotations": [], "logprobs": [], "text": .string(text)]
    }
}
