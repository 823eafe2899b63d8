internal import JSON

/// Gemini's generateContent and streamGenerateContent (ai.google.dev/api/generate-content).
enum GenerateContent {
    static func answer(to request: ModelRequest, id: String, pieces: Pieces) -> ModelAnswer {
        let response: @Sendable (_ text: String, _ finish: String?, _ output: Int64) -> Value = { text, finish, output in
            var candidate: Object = ["content": ["parts": [["text": .string(text)]], "role": "model"]]
            if let finish { candidate["finishReason"] = .string(finish) }
            candidate["index"] = 0
            return [
                "candidates": [.object(candidate)],
                "usageMetadata": [
                    "promptTokenCount": 12, "candidatesTokenCount": .integer(output), "totalTokenCount": .integer(12 + output),
                    "promptTokensDetails": [["modality": "TEXT", "tokenCount": 12]],
                ],
                "modelVersion": .string(request.model), "responseId": .string(id),
            ]
        }
        let last = pieces.count - 1
        // Gemini has neither opening nor closing events: the last piece carries the reason why it is the last.
        let script = EventScript(
            opening: [], pieces: pieces,
            delta: { index, text in StreamEvent(nil, response(text, index == last ? "STOP" : nil, Int64(index) + 1)) },
            closing: { _ in [] })
        return ModelAnswer(plain: { text in response(text, "STOP", Int64(pieces.count)) }, script: script)
    }

    static let models: Value = [
        "models": [
            [
                "name": "models/gemini-2.5-flash", "version": "001", "displayName": "Gemini 2.5 Flash", "inputTokenLimit": 1_048_576,
                "outputTokenLimit": 65_536, "supportedGenerationMethods": ["generateContent", "countTokens"],
            ]
        ]
    ]
}
