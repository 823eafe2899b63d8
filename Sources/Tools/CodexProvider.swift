/// The provider that Codex is given: an entry of its `model_providers`, in `-c` flags or in its configuration file.
struct CodexProvider: Equatable {
    /// The base URL that Codex appends `/responses` to.
    let base: String
    /// The session to report to Keybearer.
    var session: String?

    /// Its name in `model_providers`, and the value of `model_provider`.
    static let id = "keybearer"

    /// Its members, with values in TOML. There is no key and no login: with neither, Codex sends no credential and asks for none.
    ///
    /// WebSockets are off although Keybearer tunnels them: what goes through a tunnel is not looked into, so that a refused turn could not
    /// be sent again with another account, and a profile could not be named by the model.
    var members: [(name: String, value: String)] {
        var members = [
            ("name", TOMLText.quoted("Keybearer")), ("base_url", TOMLText.quoted(base)), ("wire_api", TOMLText.quoted("responses")),
            ("requires_openai_auth", "false"), ("supports_websockets", "false"),
        ]
        if let session { members.append(("http_headers", "{ \(TOMLText.quoted(RequestFields.session)) = \(TOMLText.quoted(session)) }")) }
        return members
    }

    /// As flags for one start, which go before its files.
    var arguments: [String] {
        let selection = ["-c", "model_provider=\(TOMLText.quoted(Self.id))"]
        return selection + members.flatMap { ["-c", "model_providers.\(Self.id).\($0.name)=\($0.value)"] }
    }
}
