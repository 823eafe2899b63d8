internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Sockets

/// `keybearer models status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the profiles, how they stand, and in which order they are used.",
        discussion: """
            With --check the exit code is 1 when a profile has expired for good, must be logged in again or is missing, 2 when one ends \
            within 24 h, else 0. Logins that refresh themselves are fine. No secret is ever shown.

            With --probe a real request is made with every profile, by the way that all requests take, and what became of it is told: ok, \
            auth, rate_limit, billing, timeout, format or unknown. With Anthropic it costs one token of claude-haiku-4-5.

            EXAMPLES
              keybearer models status
              keybearer models status --json | jq '.auth.oauth.profiles'
              keybearer models status --plain | awk -F'\\t' '$5 == "expired" { print $3 }'
              keybearer models status --check || notify-send "look after your model logins"
              keybearer models status --probe --probe-provider anthropic
            """)

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print a line a profile and nothing else: provider, place in the order, profile, kind, state, end; tabs between them.")
    var plain = false

    @Flag(help: "Say by the exit code whether a person has to act.")
    var check = false

    @OptionGroup var probes: ProbeOptions
    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if json, plain { throw ValidationError("--json and --plain are two ways to print the same: give one.") }
    }

    func run() throws {
        let installation = try Installation(
            options, overrides: probes.probe ? ProbeRun.overrides : SettingsOverrides(), passesOver: true)
        let report = StatusReport(
            settings: installation.settings, snapshot: try installation.load(), environmentKeys: installation.environmentKeys,
            now: Clock.wall())
        let targets = try probes.targets(report, installation)
        if plain {
            for line in StatusText.plain(report) { Output.line(line) }
        } else if !json {
            Self.print(report, installation)
        }
        let probed = try targets.map { try probes.run($0, installation) }
        if json { Output.json(ProbeReport.adding(probed, to: StatusDocument.make(report, installation))) }
        if !json, let probed { Self.print(probed, plain: plain) }
        if check, report.checkCode != 0 { throw ExitCode(report.checkCode) }
    }

    private static func print(_ report: StatusReport, _ installation: Installation) {
        Output.table([
            ["settings", installation.settingsPath], ["credentials", installation.store.profilesPath], ["agent", installation.agentID],
        ])
        if let notice = installation.places.notice { Output.line(notice) }
        if report.providers.isEmpty {
            Output.line("\nThere are no profiles yet. Add one:\n  keybearer models auth paste-api-key --provider openai")
        }
        for provider in report.providers { print(provider, report) }
        for warning in report.tokenWarnings { Output.line("\n\(warning.text)") }
        for problem in report.problems { Output.line("\nproblem: \(problem.message)") }
        for problem in installation.wrongProviderFiles {
            Output.line("\nproblem: \(problem); a server that runs goes on with what this file said before")
        }
        for id in report.missing { Output.line("\nproblem: the settings use \(id), and no profile of it can be used") }
    }

    private static func print(_ probes: ProbeReport, plain: Bool) {
        if plain { return probes.rows.forEach { Output.line((["probe"] + $0).joined(separator: "\t")) } }
        Output.line(probes.results.isEmpty ? "\nThere is nothing to probe." : "\nprobes")
        Output.table(probes.rows, indent: "  ")
    }

    private static func print(_ provider: StatusReport.ProviderEntry, _ report: StatusReport) {
        let now = report.now
        let also = provider.alsoFor.isEmpty ? "" : " (also for \(provider.alsoFor.joined(separator: ", ")))"
        guard provider.isKnown else {
            return Output.line(
                "\n\(provider.id): not a provider here; kept as it is: \(provider.entries.map(\.id).joined(separator: ", "))")
        }
        Output.line("\n\(provider.id)\(also): \(StatusText.source(provider.source))")
        var place = 0
        let rows = provider.entries.map { entry in
            if entry.isUsable { place += 1 }
            let standing =
                entry.isUnsendable
                ? "not used: \(provider.id) takes no \(entry.profile?.kind.rawValue ?? "such credential")"
                : StatusText.standing(entry.profile, entry.eligibility, entry.mark, now: now)
            let owner = entry.profile?.email.map { " <\($0)>" } ?? ""
            let rest = report.rests.text(of: entry.id).map { "; \($0)" } ?? ""
            return [entry.isUsable ? "\(place)" : "-", entry.id, entry.profile?.kind.rawValue ?? "", standing + owner + rest]
        }
        Output.table(rows + environmentRow(provider), indent: "  ")
        for entry in provider.entries {
            if let quota = UsageText.quota(entry.usage, now: now) { Output.line("  \(entry.id): \(quota)") }
            if let spent = UsageText.spent(entry.usage, now: now) { Output.line("  \(entry.id): \(spent)") }
        }
    }

    private static func environmentRow(_ provider: StatusReport.ProviderEntry) -> [[String]] {
        guard let key = provider.environmentKey else { return [] }
        let standing = provider.usesEnvironment ? "used, since no profile can be" : "not used while a profile is there"
        return [
            [provider.usesEnvironment ? "1" : "-", key.profileID, key.kind.rawValue, "$\(key.variable) of this environment: \(standing)"]
        ]
    }
}

/// The JSON of `models status`, with Moltbot's member names where it has them (spec/credential-formats.md §7.2).
enum StatusDocument {
    static func make(_ report: StatusReport, _ installation: Installation) -> Value {
        let store = installation.store
        return [
            "configPath": .string(installation.settingsPath), "stateDir": .string(installation.places.stateDirectory),
            "agentId": .string(installation.agentID), "agentDir": .string(store.directory),
            // Moltbot's, which chooses models; a proxy leaves that to its clients.
            "defaultModel": nil, "resolvedDefault": nil, "fallbacks": [], "imageModel": nil, "imageFallbacks": [], "aliases": [:],
            "allowed": [],
            "auth": [
                "storePath": .string(store.profilesPath), "notice": installation.places.notice.map { .string($0) } ?? nil,
                // The variables of this environment; a login shell is not asked for more.
                "shellEnvFallback": ["enabled": false, "appliedKeys": []],
                "providersWithOAuth": .array(report.providers.compactMap(withLogins)),
                "missingProvidersInUse": .array(report.missing.map { .string($0) }),
                "providers": .array(report.providers.map { provider($0) }),
                "warnings": .array(
                    report.tokenWarnings.map {
                        ["profileId": .string($0.profileID), "days": .integer(Int64($0.days)), "message": .string($0.text)]
                    }),
                "unusableProfiles": .array(
                    report.providers.flatMap(unusable) + report.rests.rests.map { RestReport.document($0, now: report.now) }),
                "usage": .array(report.providers.flatMap { $0.entries.compactMap { UsageText.document($0.usage, of: $0.id) } }),
                "oauth": [
                    "warnAfterMs": .integer(StatusReport.Entry.warnAfter),
                    "profiles": .array(report.providers.flatMap { provider in provider.entries.map { profile($0, provider, report.now) } }),
                    "providers": .array(report.providers.map { summary($0, report.now) }),
                ],
                "problems": .array(
                    report.problems.map {
                        [
                            "profileId": $0.profileID.map { .string($0) } ?? nil, "code": .string($0.code.rawValue),
                            "message": .string($0.message),
                        ]
                    }
                        + installation.wrongProviderFiles.map {
                            ["profileId": nil, "code": "provider_file", "message": .string($0.description)]
                        }),
            ],
        ]
    }

    private static func provider(_ provider: StatusReport.ProviderEntry) -> Value {
        let count: (Profile.Kind) -> Value = { kind in .integer(Int64(provider.entries.count { $0.profile?.kind == kind })) }
        let first = provider.entries.first(where: \.isUsable)
        let detail = first?.id ?? (provider.usesEnvironment ? provider.environmentKey?.variable : nil)
        let effective =
            first != nil ? "profiles" : provider.usesEnvironment ? "env" : provider.needsCredential ? "missing" : "none"
        return [
            "provider": .string(provider.id), "known": .bool(provider.isKnown), "alsoFor": .array(provider.alsoFor.map { .string($0) }),
            "effective": ["kind": .string(effective), "detail": detail.map { .string($0) } ?? nil],
            "env": provider.environmentKey.map { ["source": .string("env: \($0.variable)"), "used": .bool(provider.usesEnvironment)] }
                ?? nil,
            "order": [
                "source": .string(provider.source.rawValue), "ids": .array(provider.entries.filter(\.isUsable).map { .string($0.id) }),
            ],
            "profiles": [
                "count": .integer(Int64(provider.entries.count { $0.profile != nil })), "oauth": count(.oauth), "token": count(.token),
                "apiKey": count(.apiKey), "labels": .array(provider.entries.filter { $0.profile != nil }.map { .string(label($0)) }),
            ],
        ]
    }

    /// `openai-codex (2)`
    private static func withLogins(_ provider: StatusReport.ProviderEntry) -> Value? {
        let count = provider.entries.count { $0.profile?.kind == .oauth || $0.profile?.kind == .token }
        return count > 0 ? .string("\(provider.id) (\(count))") : nil
    }

    private static func unusable(_ provider: StatusReport.ProviderEntry) -> [Value] {
        provider.entries.filter { !$0.isUsable }.map { entry in
            [
                "profileId": .string(entry.id), "provider": .string(provider.id), "kind": "disabled",
                "reason": .string(entry.eligibility == .ok ? "kind_not_taken" : entry.eligibility.rawValue),
            ]
        }
    }

    /// Every profile, static ones included, as upstream lists them.
    private static func profile(_ entry: StatusReport.Entry, _ provider: StatusReport.ProviderEntry, _ now: Int64) -> Value {
        var members: Object = [
            "profileId": .string(entry.id), "provider": .string(provider.id),
            "type": entry.profile.map { .string($0.kind.rawValue) } ?? nil,
            "status": .string(entry.state(now: now).rawValue), "refreshable": .bool(entry.isRefreshable),
            "needsLogin": .bool(entry.mark != nil), "source": entry.profile?.overlay == nil ? "store" : "overlay",
            "label": .string(label(entry)),
        ]
        if let overlay = entry.profile?.overlay {
            members["overlay"] = ["tool": .string(overlay.owner.rawValue), "path": .string(overlay.path)]
        }
        if let expires = entry.profile?.expires, entry.profile?.kind != .apiKey {
            members["expiresAt"] = .integer(expires)
            members["remainingMs"] = .integer(expires - now)
        }
        return .object(members)
    }

    /// A provider with the worst of its logins and tokens.
    private static func summary(_ provider: StatusReport.ProviderEntry, _ now: Int64) -> Value {
        let entries = provider.entries.filter { $0.profile?.kind != .apiKey }
        let order: [StatusReport.Entry.State] = [.expired, .missing, .expiring, .ok]
        let states = Set(entries.map { $0.state(now: now) })
        return [
            "provider": .string(provider.id), "status": .string((order.first(where: states.contains) ?? .fixed).rawValue),
            "profiles": .array(entries.map { profile($0, provider, now) }),
        ]
    }

    /// Whose it is and what it is. Upstream masks the key here; nothing of it is shown at all.
    private static func label(_ entry: StatusReport.Entry) -> String {
        let kind = entry.profile?.kind.rawValue ?? "missing"
        return entry.profile?.email.map { "\(entry.id)=\(kind) (\($0))" } ?? "\(entry.id)=\(kind)"
    }
}
