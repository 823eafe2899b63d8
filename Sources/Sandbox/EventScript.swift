internal import JSON

/// One event of a stream (WHATWG HTML §9.2), or one line of plain data where a provider names no events.
struct StreamEvent: Sendable {
    /// The `event:` line; nil where the provider sends only data.
    let name: String?
    let data: [UInt8]

    init(_ name: String? = nil, _ value: Value) {
        self.name = name
        data = Writer.compact(value)
    }

    init(text: String) {
        name = nil
        data = Array(text.utf8)
    }

    /// An event whose name is also its `type` member, as Anthropic and OpenAI's Responses send them.
    init(typed value: Value) { self.init(value["type"]?.string, value) }

    /// The event as it stands on the wire.
    var wire: [UInt8] {
        var bytes = name.map { Array("event: \($0)\n".utf8) } ?? []
        bytes += Array("data: ".utf8)
        bytes += data
        bytes += [0x0a, 0x0a]
        return bytes
    }
}

/// A streamed answer as data: what comes before the text, each piece of text, what comes after.
struct EventScript: Sendable {
    let opening: [StreamEvent]
    let pieces: Pieces
    /// The event that carries the piece of text at an index.
    let delta: @Sendable (_ index: Int, _ text: String) -> StreamEvent
    /// The events after the last piece; some repeat the whole text.
    let closing: @Sendable (_ whole: String) -> [StreamEvent]

    /// All events at once, for tests.
    func all() -> [StreamEvent] {
        let texts = (0..<pieces.count).map { pieces.text(at: $0, now: 0) }
        return opening + texts.enumerated().map { delta($0.offset, $0.element) } + closing(texts.joined())
    }
}

/// What a model endpoint has to say, plain or streamed.
struct ModelAnswer: Sendable {
    /// The answer in one piece, given the whole text.
    let plain: @Sendable (_ text: String) -> Value
    let script: EventScript
}

/// What a model endpoint reads of a request.
struct ModelRequest: Sendable {
    let model: String
    let stream: Bool
    /// OpenAI's chat: a last chunk with the usage was asked for.
    let includeUsage: Bool

    /// - Parameter model: from the path, where the provider has it there.
    init?(_ request: Request, model: String? = nil) {
        if let body = request.json() {
            guard body.object != nil else { return nil }
            self.model = model ?? body["model"]?.string ?? "sandbox-model"
            stream = body["stream"]?.bool ?? false
            includeUsage = body["stream_options"]?["include_usage"]?.bool ?? false
            return
        }
        // Too long to keep, or compressed: only what can be had without parsing. SDKs put `stream` before or after the
        // messages, and a body whose end was not kept says so by the Accept field at best.
        guard !request.body.isWhole || request.value(of: "content-encoding") != nil else { return nil }
        self.model = model ?? "sandbox-model"
        stream = request.value(of: "accept")?.hasPrefix("text/event-stream") ?? false
        includeUsage = false
    }
}
