internal import Configuration
internal import JSON
internal import Tools

/// The smallest request that shows whether a provider takes a credential: a list of models where that needs one, else one token of an
/// answer. Pure.
struct ProbeRequest: Equatable {
    let method: String
    /// What stands behind `/<provider>`.
    let path: String
    /// Name and value in one, as they are sent.
    var fields: [String] = []
    var body = ""

    /// Nil when no request is known that every account of the provider may make.
    ///
    /// - Parameter maxTokens: how long the answer may be where a model is asked.
    init?(for provider: Provider, maxTokens: Int = ProbeRun.usualMaxTokens) {
        if provider.id == Self.codex {
            // The backend asks every client for its version, and may leave out models that are too new for it.
            self.init(method: "GET", path: "/models?client_version=\(Version.text)")
        } else if provider.id == Self.openRouter {
            // Its list of models is open to everyone and would prove nothing.
            self.init(method: "GET", path: "/api/v1/key")
        } else if provider.errorShape == .google, let base = APIShape.google.path(on: provider) {
            self.init(method: "GET", path: base + "/v1beta/models?pageSize=5")
        } else if provider.errorShape == .anthropic, let base = APIShape.anthropic.path(on: provider) {
            self.init(
                method: "POST", path: base + "/v1/messages", fields: ["anthropic-version: 2023-06-01", "Content-Type: application/json"],
                body: Self.message(maxTokens))
        } else if let base = APIShape.openai.path(on: provider) {
            self.init(method: "GET", path: base + "/models")
        } else {
            return nil
        }
    }

    private init(method: String, path: String, fields: [String] = [], body: String = "") {
        self.method = method
        self.path = path
        self.fields = fields
        self.body = body
    }

    /// The providers whose cheapest request differs from that of their dialect.
    private static let codex = "openai-codex"
    private static let openRouter = "openrouter"

    /// The cheapest model: what a subscription's token may do is asked as its clients ask, since a list of models may be open
    /// to tokens that no model is open to.
    private static func message(_ maxTokens: Int) -> String {
        #"{"model":"claude-haiku-4-5","max_tokens":\#(maxTokens),"messages":[{"role":"user","content":"Reply with OK."}]}"#
    }

    /// The request as it is sent to a server of ours.
    ///
    /// - Parameters:
    ///   - provider: its first path segment.
    ///   - profile: the profile that it is pinned to, percent-encoded; nil: none.
    ///   - agent: the agent whose profiles are meant, percent-encoded; nil: the default one.
    func text(to provider: String, profile: String?, agent: String?) -> String {
        var lines = ["\(method) /\(provider)\(path) HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "Accept-Encoding: identity"]
        lines += ["User-Agent: keybearer/\(Version.text)"] + fields
        if let profile { lines.append("Keybearer-Profile: \(profile)") }
        if let agent { lines.append("Keybearer-Agent: \(agent)") }
        if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// What an answer says, for people: the model's words, or which models there are. Nothing is quoted but names and those words.
    static func gist(of answer: Value) -> String? {
        if let text = answer["content"]?.array?.first?["text"]?.string, let model = answer["model"]?.string {
            return "\(shown(model)) says \"\(shown(text))\""
        }
        guard let models = (answer["data"] ?? answer["models"])?.array else { return nil }
        let names = models.compactMap { ($0["id"] ?? $0["slug"] ?? $0["name"])?.string }
        guard let first = names.first else { return "it lists no models" }
        return names.count == 1 ? "it lists one model, \(shown(first))" : "it lists \(names.count) models, \(shown(first)) among them"
    }

    /// Printable and short: a terminal obeys control characters.
    private static func shown(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }.prefix(80)))
    }
}
