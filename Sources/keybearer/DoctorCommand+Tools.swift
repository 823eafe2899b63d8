internal import Configuration
internal import Tools

/// Tools on this machine that talk past Keybearer, though it has a credential for them.
struct DoctorTools {
    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    var findings: [Finding] { ToolSettings.Kind.allCases.flatMap(settings(of:)) + variables() }

    private func settings(of kind: ToolSettings.Kind) -> [Finding] {
        guard let tool = ToolCatalogue.tool(kind.rawValue), let settings = ToolPlace.settings(kind), isPresent(tool, settings) else {
            return []
        }
        do {
            guard let base = try settings.base() else {
                guard let target = try? ToolTarget(installation), hasCredential(for: tool, target) else { return [] }
                return [
                    Finding(
                        .note, "past-us", "\(tool.name), started by itself, talks to its provider directly (\(settings.path))",
                        advice: "keybearer tools setup \(tool.id), or start it by `keybearer run -- \(tool.programs.first ?? tool.id)`")
                ]
            }
            let origins = installation.settings.listen.filter { $0.port != 0 }.map { "\($0.tls == nil ? "http" : "https")://\($0)/" }
            var findings = try settings.obstacles().map { obstacle in
                Finding(
                    .warning, "past-us", "\(settings.path): \(obstacle), which goes before Keybearer", advice: "take it out of the file")
            }
            if !origins.contains(where: base.hasPrefix) {
                findings.append(
                    Finding(
                        .warning, "wrong-address",
                        "\(settings.path) points \(tool.name) at \(base), and Keybearer listens at "
                            + origins.joined(separator: ", "), advice: "keybearer tools setup \(tool.id)"))
            }
            return findings
        } catch {
            return [Finding(.warning, "tool-settings", error.description, advice: "look at the file's owner and mode")]
        }
    }

    private func isPresent(_ tool: Tool, _ settings: ToolSettings) -> Bool {
        if PathStatus(settings.path) != nil { return true }
        let path = ProcessEnvironment.all["PATH"]
        return tool.programs.contains { ProcessEnvironment.program($0, path: path) != nil }
    }

    private func hasCredential(for tool: Tool, _ target: ToolTarget) -> Bool {
        tool.dialects.flatMap(\.shape.preferredProviders).compactMap { installation.settings.provider($0) }.contains { target.isReady($0) }
    }

    /// Keys in this environment, which tools started from it use by themselves.
    private func variables() -> [Finding] {
        let environment = ProcessEnvironment.all
        let keys = [
            "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY",
        ]
        let set = keys.filter { name in environment[name].map { !$0.isEmpty && $0 != Tool.placeholder } ?? false }
        guard !set.isEmpty else { return [] }
        return [
            Finding(
                .note, "key-in-environment",
                "\(set.joined(separator: ", ")) in this environment: tools started from it can use a key past Keybearer",
                advice: "store it (keybearer models auth paste-api-key), take it out of your shell's files, and use `keybearer env`")
        ]
    }
}
