internal import Credentials
internal import JSON

/// What `secrets` may hold: where the references in profiles lead. Member names and limits are OpenClaw's (spec/credential-formats.md §1.8).
enum SecretSchema {
    static let secrets = Schema<SecretPlaces>([
        .value("defaults", \.defaults, .map("env, file or exec", { PlaceEntry.Source(rawValue: $0)?.rawValue }, to: alias)),
        .value("providers", \.places, .map("an alias: visible characters", { isAlias($0) ? $0 : nil }, to: place)),
    ])

    private static let alias = Codec<String>.checked("an alias of secrets.providers", isAlias)

    private static func isAlias(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    /// A place with the members of all kinds, as a file may give them.
    private struct PlaceEntry: Sendable {
        enum Source: String, CaseIterable { case env, file, exec }
        enum Mode: String, CaseIterable { case json, singleValue }

        var source = Source.env
        var allowlist: [String]?
        var path: String?
        var mode = Mode.json
        var maxBytes = 1 << 20
        var command: String?
        var exec = SecretCommand(command: "")
        var timeoutMs = 5000
        var noOutputTimeoutMs = 2000
    }

    private static let entry = Codec<PlaceEntry>.object(
        PlaceEntry(), required: ["source"],
        Schema([
            .value("source", \.source, .choice(PlaceEntry.Source.allCases)),
            .optional("allowlist", \.allowlist, .list(variable)),
            .optional("path", \.path, .path),
            .value("mode", \.mode, .choice(PlaceEntry.Mode.allCases)),
            .value("maxBytes", \.maxBytes, .size(1...(1 << 20))),
            .optional("command", \.command, .path),
            .value("args", \.exec.args, .list(.checked("an argument", { !$0.utf8.contains(0) }))),
            .value("timeoutMs", \.timeoutMs, .count(1...600_000)),
            .value("noOutputTimeoutMs", \.noOutputTimeoutMs, .count(1...600_000)),
            .value("maxOutputBytes", \.exec.maxOutputBytes, .size(1...(1 << 20))),
            .value("jsonOnly", \.exec.jsonOnly, .truth),
            .value("passEnv", \.exec.passEnv, .list(variable)),
            .value(
                "env", \.exec.env,
                .map("the name of an environment variable", { isVariable($0) ? $0 : nil }, to: .checked("a text", { !$0.utf8.contains(0) }))
            ),
            .optional("trustedDirs", \.exec.trustedDirs, .list(.path)),
            .value("allowInsecurePath", \.exec.allowInsecurePath, .truth),
            .value("allowSymlinkCommand", \.exec.allowSymlinkCommand, .truth),
        ]))

    private static let place = Codec<SecretPlace>(
        decode: { value, reading in
            guard let entry = entry.decode(value, &reading) else { return nil }
            switch entry.source {
            case .env:
                return .env(allowlist: entry.allowlist)
            case .file:
                guard let path = entry.path else { return lacks("path", "the file's", value, &reading) }
                return .file(SecretFile(path: path, isSingleValue: entry.mode == .singleValue, maxBytes: entry.maxBytes))
            case .exec:
                guard let command = entry.command else { return lacks("command", "the program's path", value, &reading) }
                var exec = entry.exec
                exec.command = command
                exec.timeout = .milliseconds(entry.timeoutMs)
                exec.noOutputTimeout = .milliseconds(entry.noOutputTimeoutMs)
                return .exec(exec)
            }
        },
        encode: { place in
            var shown = PlaceEntry()
            switch place {
            case .env(let allowlist):
                (shown.source, shown.allowlist) = (.env, allowlist)
            case .file(let file):
                (shown.source, shown.path, shown.maxBytes) = (.file, file.path, file.maxBytes)
                shown.mode = file.isSingleValue ? .singleValue : .json
            case .exec(let command):
                (shown.source, shown.command, shown.exec) = (.exec, command.command, command)
                shown.timeoutMs = Int(command.timeout / .milliseconds(1))
                shown.noOutputTimeoutMs = Int(command.noOutputTimeout / .milliseconds(1))
            case .unusable: break
            }
            return entry.encode(shown)
        })

    /// One that is there and cannot be used has been noted already.
    private static func lacks(_ name: String, _ meaning: String, _ value: LocatedValue, _ reading: inout Reading) -> SecretPlace? {
        if value.members?.contains(where: { $0.name == name }) != true {
            reading.refuse(value, expected: "a member \"\(name)\": \(meaning)")
        }
        return nil
    }

    private static let variable = Codec<String>.checked("the name of an environment variable", isVariable)

    private static func isVariable(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "=") }
    }
}
