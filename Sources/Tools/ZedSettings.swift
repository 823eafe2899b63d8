/// Keybearer's part of Zed's `settings.json`: the `api_url` of its language models. The file holds no keys, which Zed keeps in the
/// system's keychain, so that ours is known by the address alone.
struct ZedSettings: ToolFileEditor {
    let content: ToolFileContent

    private static let paths = [APIShape.anthropic, .openai, .google].map(path)
    private static let members = JSONMembers(
        paths: paths, grammar: .withComments,
        isOurs: { text in paths.contains { Endpoint.isKeybearers(text.string(at: $0)) } })

    private static func path(_ shape: APIShape) -> [String] { ["language_models", shape.rawValue, "api_url"] }

    func installed(in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        let ours = content.routes.map { route in
            JSONMembers.Member(
                path: Self.path(route.dialect.shape), value: content.endpoint.base(route.provider, path: route.path))
        }
        return try Self.members.installed(ours, in: original)
    }

    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        try Self.members.removed(from: bytes, kept: kept)
    }

    func base(in bytes: [UInt8]) -> String? {
        guard let text = try? JSONText(bytes, .withComments) else { return nil }
        return Self.paths.compactMap { text.string(at: $0) }.first { Endpoint.isKeybearers($0) }
    }
}
