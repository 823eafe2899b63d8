/// The paths that belong to one provider's API, so that a tool which takes only a host and a port works (DESIGN §5).
struct WellKnownPaths: Sendable {
    /// Whose API a path is of.
    enum Owner {
        case anthropic, openai, google
    }

    private let versions = NameTable(["v1", "v1beta"])
    private let anthropic = NameTable(["messages"])
    private let shared = NameTable(["models", "files"])
    private let openai = NameTable([
        "chat", "completions", "responses", "conversations", "embeddings", "images", "audio", "videos", "moderations", "batches", "uploads",
        "vector_stores", "fine_tuning", "assistants", "threads", "containers", "evals", "realtime",
    ])

    /// The owner of the path that begins with a slash at `start` and ends before `end`; `nil` when it is nobody's.
    func owner(of target: Span<UInt8>, from start: Int, to end: Int, hints: HeaderHints) -> Owner? {
        let version = Segment.at(start, in: target, end: end)
        switch versions.index(of: version, in: target) {
        case 0: break
        case 1: return .google
        default: return nil
        }
        let name = Segment.at(version.upperBound, in: target, end: end)
        if anthropic.index(of: name, in: target) != nil { return .anthropic }
        if openai.index(of: name, in: target) != nil { return .openai }
        guard let index = shared.index(of: name, in: target) else { return nil }
        if index == 0, isMethodOfModel(Segment.at(name.upperBound, in: target, end: end), in: target) { return .google }
        if hints.contains(.anthropicVersion) { return .anthropic }
        return hints.contains(.googleKey) ? .google : .openai
    }

    /// Whether a segment is `<model>:<method>`, Google's form. OpenAI's fine-tuned models have colons too, but start with `ft:`.
    private func isMethodOfModel(_ segment: Range<Int>, in target: Span<UInt8>) -> Bool {
        var colon = segment.lowerBound
        while colon < segment.upperBound, target[colon] != .colon { colon += 1 }
        guard colon > segment.lowerBound, colon + 1 < segment.upperBound else { return false }
        let isFineTuned =
            colon - segment.lowerBound == 2 && target[colon - 2] == UInt8(ascii: "f") && target[colon - 1] == UInt8(ascii: "t")
        return !isFineTuned
    }
}

/// Path segments by offset.
enum Segment {
    /// The segment after the slash at `start`: empty when there is none, with its upper bound at the next slash or at `end`.
    static func at(_ start: Int, in target: Span<UInt8>, end: Int) -> Range<Int> {
        guard start < end else { return end..<end }
        var position = start + 1
        while position < end, target[position] != .slash { position += 1 }
        return (start + 1)..<position
    }
}
