internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Sockets

/// What `models status` takes for its probes.
struct ProbeOptions: ParsableArguments {
    @Flag(help: "Make a real request with every profile, by the way that all requests take. One token, or a list of models.")
    var probe = false

    @Option(help: ArgumentHelp("Probe the profiles of this provider only.", valueName: "provider"), completion: Completions.providers)
    var probeProvider: String?

    @Option(
        help: ArgumentHelp("Probe this profile only; may be repeated, or several between commas.", valueName: "id"),
        completion: Completions.profiles)
    var probeProfile: [String] = []

    @Option(help: ArgumentHelp("How long an answer may take, in ms.", valueName: "ms"))
    var probeTimeout = Int(ProbeRun.usualTimeout / .milliseconds(1))

    @Option(help: ArgumentHelp("How many profiles are asked at a time.", valueName: "n"))
    var probeConcurrency = ProbeRun.usualConcurrency

    @Option(help: ArgumentHelp("How many tokens a model may answer with, where one is asked.", valueName: "n"))
    var probeMaxTokens = ProbeRun.usualMaxTokens

    func validate() throws {
        guard probe || probeProvider == nil && probeProfile.isEmpty else {
            throw ValidationError("--probe-provider and --probe-profile say which profiles --probe tries; add --probe.")
        }
        guard (100...600_000).contains(probeTimeout) else { throw ValidationError("--probe-timeout is 100 to 600000 ms.") }
        guard (1...32).contains(probeConcurrency) else { throw ValidationError("--probe-concurrency is 1 to 32 profiles.") }
        guard (1...1024).contains(probeMaxTokens) else { throw ValidationError("--probe-max-tokens is 1 to 1024 tokens.") }
    }

    /// What is to be probed; nil when nothing was asked for.
    ///
    /// - Throws: `Failure` when there is no such profile or provider.
    func targets(_ report: StatusReport, _ installation: Installation) throws -> [ProbeTarget]? {
        guard probe else { return nil }
        let provider = try probeProvider.map { try installation.credentialProvider($0).id }
        var targets = ProbeTarget.all(report, installation.settings)
        if let provider { targets.removeAll { $0.provider.id != provider } }
        // Moltbot takes several between commas as well.
        let wanted = probeProfile.flatMap { $0.split(separator: ",").map(String.init) }
        guard !wanted.isEmpty else { return targets }
        if let unknown = wanted.first(where: { id in !targets.contains { $0.profileID == id } }) {
            let owner = provider.map { " of \($0)" } ?? ""
            throw Failure.failed("there is no profile \(unknown)\(owner) to probe; `keybearer models status` lists those there are")
        }
        return targets.filter { wanted.contains($0.profileID) }
    }

    /// Probes them.
    func run(_ targets: [ProbeTarget], _ installation: Installation) throws -> ProbeReport {
        let started = Clock.wall()
        let run = ProbeRun(
            installation, timeout: .milliseconds(probeTimeout), concurrency: probeConcurrency, maxTokens: probeMaxTokens)
        return ProbeReport(results: try run.run(targets), started: started, finished: Clock.wall(), options: self)
    }
}

/// The probes as they are told.
struct ProbeReport {
    let results: [ProbeResult]
    /// ms since 1970.
    let started: Int64
    let finished: Int64
    let options: ProbeOptions

    /// One row a profile.
    var rows: [[String]] {
        results.map { result in
            let detail = result.verdict.reason ?? result.verdict.gist ?? ""
            return [
                result.verdict.status.rawValue, result.target.profileID, result.latency.map { "\($0) ms" } ?? "-",
                detail.split(separator: "\n").joined(separator: " "),
            ]
        }
    }

    /// Moltbot's members.
    var document: Value {
        [
            "startedAt": .integer(started), "finishedAt": .integer(finished), "durationMs": .integer(finished - started),
            "totalTargets": .integer(Int64(results.count)),
            "options": [
                "timeoutMs": .integer(Int64(options.probeTimeout)), "concurrency": .integer(Int64(options.probeConcurrency)),
                "maxTokens": .integer(Int64(options.probeMaxTokens)),
            ],
            "results": .array(
                results.map { result in
                    var members: Object = [
                        "provider": .string(result.target.provider.id), "profileId": .string(result.target.profileID),
                        "source": .string(result.target.isEnvironmentKey ? "env" : "profile"),
                        "status": .string(result.verdict.status.rawValue),
                    ]
                    members["mode"] = result.target.kind.map { .string($0.rawValue) }
                    members["error"] = result.verdict.reason.map { .string($0) }
                    members["latencyMs"] = result.latency.map { .integer($0) }
                    return .object(members)
                }),
        ]
    }

    /// `document` of `models status` with the probes in `auth.probes`.
    static func adding(_ report: ProbeReport?, to document: Value) -> Value {
        guard let report, case .object(var root) = document, case .object(var auth)? = root["auth"] else { return document }
        auth["probes"] = report.document
        root["auth"] = .object(auth)
        return .object(root)
    }
}
