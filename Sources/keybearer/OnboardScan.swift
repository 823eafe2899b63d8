internal import Configuration
internal import Credentials
internal import Glibc
internal import Tools

/// What a machine has before anyone logs in: tools, and logins. Other tools' logins are looked for and never read.
struct OnboardScan {
    /// A tool of the catalogue whose program is on the PATH.
    struct FoundTool {
        let tool: Tool
        let program: String
    }

    let tools: [FoundTool]
    /// Files in which other tools keep logins of their own.
    let foreignLogins: [(tool: String, path: String, owner: LoginOwner?)]
    let profiles: [Profile]
    let environmentKeys: [EnvironmentKey]

    init(_ installation: Installation) throws {
        let environment = ProcessEnvironment.all
        tools = ToolCatalogue.tools.compactMap { tool in
            tool.programs.lazy.compactMap { ProcessEnvironment.program($0, path: environment["PATH"]) }.first
                .map { FoundTool(tool: tool, program: $0) }
        }
        foreignLogins =
            Surroundings.current.home.map { home in
                ToolSettings.Kind.allCases.compactMap { kind in
                    guard let path = kind.loginPath(home: home, environment: environment), unsafe access(path, F_OK) == 0 else {
                        return nil
                    }
                    let owner = LoginOwner.allCases.first { $0.path(home: home, environment: environment) == path }
                    return (kind.toolName, path, owner)
                }
            } ?? []
        profiles = try installation.store.load().profiles
        environmentKeys = installation.environmentKeys
    }

    /// The lines that tell it.
    var lines: [String] {
        var lines = [
            tools.isEmpty
                ? "Tools on the PATH: none that Keybearer knows" : "Tools on the PATH: \(tools.map(\.tool.name).joined(separator: ", "))"
        ]
        lines.append(
            profiles.isEmpty
                ? "Profiles: none yet"
                : "Profiles: " + profiles.map { "\($0.id) (\(StatusText.kind($0.kind)))" }.joined(separator: ", "))
        for key in environmentKeys {
            lines.append(
                "$\(key.variable) is set: it is used for \(key.provider) as long as no profile of it can be, by a server that has it")
        }
        for login in foreignLogins {
            lines.append(
                "\(login.path) is a login of \(login.tool)'s own. It was not read and is not taken over: two programs with one refresh "
                    + "token log each other out. Log in here as well, so that each has a token of its own"
                    + (login.owner.map { ", or let Keybearer read it: keybearer import \($0.rawValue)" } ?? "") + ".")
        }
        return lines
    }
}
