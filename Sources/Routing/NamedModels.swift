/// Every model that a path names in some provider's way, for a policy that must not be walked around: behind `models` (Gemini, OpenAI),
/// `model` (Bedrock), `deployments` and `engines` (Azure).
public enum NamedModels {
    private static let markers: Set<String> = ["models", "model", "deployments", "engines"]

    /// The names, percent-decoded and without a method behind a colon; nil for a path that is no percent-encoded UTF-8.
    public static func inPath(_ target: Span<UInt8>, from start: Int) -> [String]? {
        var names: [String] = []
        var isNext = false
        var at = start
        while let segment = PathSegments.next(in: target, from: &at) {
            if segment.isEmpty { continue }
            guard let text = PercentText.decode(target.extracting(segment)) else { return nil }
            // What a server that decodes before it splits would see.
            for part in text.split(separator: "/") {
                if isNext { names.append(String(part)) }
                isNext = markers.contains(part.lowercased())
            }
        }
        return names
    }
}
