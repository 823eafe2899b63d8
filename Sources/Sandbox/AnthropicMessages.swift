internal import JSON

/// Anthropic's Messages API: shapes and event order of docs.anthropic.com/en/api/messages-streaming.
enum AnthropicMessages {
    static func answer(to request: ModelRequest, id: String, pieces: Pieces) -> ModelAnswer {
        let message: @Sendable (_ content: Value, _ stopReason: Value, _ output: Int) -> Value = { content, stopReason, output in
            [
                "id": "msg_\(id)", "type": "message", "role": "assistant", "model": .string(request.model), "content": content,
                "stop_reason": stopReason, "stop_sequence": nil, "usage": usage(output: output),
            ]
        }
        let opening: [StreamEvent] = [
            StreamEvent(typed: ["type": "message_start", "message": message([], nil, 1)]),
            StreamEvent(typed: ["type": "content_block_start", "index": 0, "content_block": ["type": "text", "text": ""]]),
            StreamEvent(typed: ["type": "ping"]),
        ]
        let script = EventScript(
            opening: opening, pieces: pieces,
            delta: { _, text in
                StreamEvent(typed: ["type": "content_block_delta", "index": 0, "delta": ["type": "text_delta", "text": .string(text)]])
            },
            closing: { _ in
                [
                    StreamEvent(typed: ["type": "content_block_stop", "index": 0]),
                    StreamEvent(typed: [
                        "type": "message_delta", "delta": ["stop_reason": "end_turn", "stop_sequence": nil],
                        "usage": ["output_tokens": .integer(Int64(pieces.count))],
                    ]),
                    StreamEvent(typed: ["type": "message_stop"]),
                ]
            })
        return ModelAnswer(
            plain: { text in message([["type": "text", "text": .string(text)]], "end_turn", pieces.count) }, script: script)
    }

    static let models: Value = [
        "data": [
            ["type": "model", "id": "claude-sonnet-4-5", "display_name": "Claude Sonnet 4.5", "created_at": "2025-09-29T00:00:00Z"],
            ["type": "model", "id": "claude-haiku-4-5", "display_name": "Claude Haiku 4.5", "created_at": "2025-10-01T00:00:00Z"],
        ],
        "has_more": false, "first_id": "claude-sonnet-4-5", "last_id": "claude-haiku-4-5",
    ]

    private static func usage(output: Int) -> Value {
        [
            "input_tokens": 12, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": .integer(Int64(output)),
            "service_tier": "standard",
        ]
    }
}
