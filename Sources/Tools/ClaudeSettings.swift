/// Keybearer's part of Claude Code's `settings.json`: members of its `env`. They are known by the placeholder in `ANTHROPIC_AUTH_TOKEN`.
struct ClaudeSettings: ToolFileEditor {
    let variables: [Tool.Variable]

    private static let section = "env"
    private static let address = [section, "ANTHROPIC_BASE_URL"]
    private static let key = [section, "ANTHROPIC_AUTH_TOKEN"]
    private static let members = JSONMembers(
        // Whatever a plan for Claude Code can set.
        paths: [address, key]
            + ["ENABLE_TOOL_SEARCH", "ANTHROPIC_CUSTOM_HEADERS", "NO_PROXY", "no_proxy"].map { [section, $0] },
        grammar: .strict, isOurs: { $0.string(at: key) == Tool.placeholder })

    func installed(in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        let ours = variables.map { JSONMembers.Member(path: [Self.section, $0.name], value: $0.value) }
        return try Self.members.installed(ours, in: original)
    }

    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        try Self.members.removed(from: bytes, kept: kept)
    }

    func base(in bytes: [UInt8]) -> String? {
        guard let text = try? JSONText(bytes), Self.members.isOurs(text) else { return nil }
        return text.string(at: Self.address)
    }

    func obstacles(in bytes: [UInt8]) -> [String] {
        guard let text = try? JSONText(bytes) else { return [] }
        let names = ToolCatalogue.tool("claude")?.conflicts ?? []
        return names.filter { text.value(at: [Self.section, $0]) != nil }.map { "its env sets \($0)" }
    }
}
