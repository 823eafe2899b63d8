/// Keybearer's part of opencode's `opencode.json`: the base URL and the key of its providers. They are known by the placeholder in
/// `apiKey`.
struct OpenCodeSettings: ToolFileEditor {
    let content: ToolFileContent

    private static let dialects = ToolCatalogue.tool("opencode")?.dialects ?? []
    private static let bases = dialects.flatMap { $0.addresses.map(\.member) }
    private static let members = JSONMembers(
        paths: bases.flatMap { [$0, key(beside: $0)] }, grammar: .withComments,
        isOurs: { text in bases.contains { text.string(at: key(beside: $0)) == Tool.placeholder } })

    private static func key(beside base: [String]) -> [String] { base.dropLast() + ["apiKey"] }

    func installed(in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        let ours = content.routes.flatMap { route in
            route.dialect.addresses.flatMap { address in
                let url = content.endpoint.base(route.provider, path: route.path + address.suffix)
                return [
                    JSONMembers.Member(path: address.member, value: url),
                    JSONMembers.Member(path: Self.key(beside: address.member), value: Tool.placeholder),
                ]
            }
        }
        return try Self.members.installed(ours, in: original)
    }

    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        try Self.members.removed(from: bytes, kept: kept)
    }

    func base(in bytes: [UInt8]) -> String? {
        guard let text = try? JSONText(bytes, .withComments) else { return nil }
        return Self.bases.first { text.string(at: Self.key(beside: $0)) == Tool.placeholder }.flatMap { text.string(at: $0) }
    }
}
