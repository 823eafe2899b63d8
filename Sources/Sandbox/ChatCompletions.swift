internal import JSON

/// OpenAI's Chat Completions: chunks of data only, `[DONE]` at the end (platform.openai.com/docs/api-reference/chat-streaming).
enum ChatCompletions {
    static func answer(to request: ModelRequest, id: String, created: Int64, pieces: Pieces) -> ModelAnswer {
        let usage: Value = [
            "prompt_tokens": 12, "completion_tokens": .integer(Int64(pieces.count)), "total_tokens": .integer(Int64(12 + pieces.count)),
            "prompt_tokens_details": ["cached_tokens": 0, "audio_tokens": 0],
        ]
        let chunk: @Sendable (_ choices: Value, _ usage: Value) -> StreamEvent = { choices, usage in
            StreamEvent(
                nil,
                [
                    "id": "chatcmpl-\(id)", "object": "chat.completion.chunk", "created": .integer(created),
                    "model": .string(request.model),
                    "service_tier": "default", "system_fingerprint": "fp_sandbox", "choices": choices, "usage": usage,
                ])
        }
        let choice: @Sendable (_ delta: Value, _ finish: Value) -> Value = { delta, finish in
            [["index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish]]
        }
        let script = EventScript(
            opening: [chunk(choice(["role": "assistant", "content": "", "refusal": nil], nil), nil)], pieces: pieces,
            delta: { _, text in chunk(choice(["content": .string(text)], nil), nil) },
            closing: { _ in
                [chunk(choice([:], "stop"), nil)] + (request.includeUsage ? [chunk([], usage)] : []) + [StreamEvent(text: "[DONE]")]
            })
        return ModelAnswer(
            plain: { text in
                [
                    "id": "chatcmpl-\(id)", "object": "chat.completion", "created": .integer(created), "model": .string(request.model),
                    "choices": [
                        [
                            "index": 0, "message": ["role": "assistant", "content": .string(text), "refusal": nil, "annotations": []],
                            "logprobs": nil, "finish_reason": "stop",
                        ]
                    ],
                    "usage": usage, "service_tier": "default", "system_fingerprint": "fp_sandbox",
                ]
            }, script: script)
    }

    static let models: Value = [
        "object": "list",
        "data": [
            ["id": "gpt-5.1", "object": "model", "created": 1_762_000_000, "owned_by": "system"],
            ["id": "gpt-5.1-codex", "object": "model", "created": 1_762_000_000, "owned_by": "system"],
        ],
    ]

    /// One vector for one input, as a client that asks for floats gets it.
    static func embedding(model: String) -> Value {
        let vector = ["0.125", "-0.5", "0.25", "0.0625"].compactMap { NumberText(text: $0) }.map { Value.number($0) }
        return [
            "object": "list", "data": [["object": "embedding", "index": 0, "embedding": .array(vector)]], "model": .string(model),
            "usage": ["prompt_tokens": 4, "total_tokens": 4],
        ]
    }
}
