internal import ArgumentParser
internal import Children
internal import Configuration
internal import Credentials
internal import JSON
internal import Proxy
internal import Routing
internal import Sockets

/// One credential that is to be tried, or the reason why it is not.
struct ProbeTarget {
    let provider: Provider
    let profileID: String
    let kind: Profile.Kind?
    /// A key of the environment cannot be pinned: it serves where nothing else can.
    let isEnvironmentKey: Bool
    /// Why no request is made with it.
    let obstacle: String?

    /// The targets of a report, in its order.
    static func all(_ report: StatusReport, _ settings: Settings) -> [ProbeTarget] {
        report.providers.flatMap { entry -> [ProbeTarget] in
            guard let provider = settings.provider(entry.id) else { return [] }
            let profiles = entry.entries.map { profile in
                ProbeTarget(
                    provider: provider, profileID: profile.id, kind: profile.profile?.kind, isEnvironmentKey: false,
                    obstacle: obstacle(profile))
            }
            guard entry.usesEnvironment, let key = entry.environmentKey else { return profiles }
            return profiles + [
                ProbeTarget(provider: provider, profileID: key.profileID, kind: key.kind, isEnvironmentKey: true, obstacle: nil)
            ]
        }
    }

    /// The first line is Moltbot's and stays as it is: scripts look for it.
    private static func obstacle(_ entry: StatusReport.Entry) -> String? {
        if entry.isUsable { return nil }
        switch entry.eligibility {
        case .ok: return "The provider cannot be sent this kind of credential."
        case .excludedByAuthOrder: return "Excluded by auth.order for this provider."
        default: return "Auth profile credentials are missing or expired.\n\(StatusText.eligibility(entry.eligibility))"
        }
    }
}

/// What became of one target.
struct ProbeResult {
    let target: ProbeTarget
    let verdict: ProbeVerdict
    /// From the request to the end of its answer, in ms; nil when none was made.
    let latency: Int64?
}

/// Real requests by the very way that every request takes: a server of ours on a free port, with the same settings and credentials.
/// Logins that have expired are refreshed by it, as always.
struct ProbeRun {
    let installation: Installation
    let timeout: Duration
    /// How many are asked at a time.
    let concurrency: Int
    /// How long an answer of a model may be.
    let maxTokens: Int

    /// Moltbot asks two at a time as well, for up to eight tokens; one shows as much.
    static let usualConcurrency = 2
    static let usualMaxTokens = 1

    /// How long an answer may take when nobody says otherwise.
    static let usualTimeout = Duration.seconds(15)

    /// The settings of the server: nobody but us asks it, and it says nothing but what is wrong.
    static let overrides = SettingsOverrides(listen: ["127.0.0.1:0"], workers: 1, logLevel: "critical")

    /// - Parameter installation: one made with ``overrides``.
    init(
        _ installation: Installation, timeout: Duration = Self.usualTimeout, concurrency: Int = Self.usualConcurrency,
        maxTokens: Int = Self.usualMaxTokens
    ) {
        self.installation = installation
        self.timeout = timeout
        self.concurrency = concurrency
        self.maxTokens = maxTokens
    }

    /// Tries the targets, a few at a time; answers in their order. A signal ends it with 128 + its number, once a refresh in flight is stored.
    func run(_ targets: [ProbeTarget]) throws -> [ProbeResult] {
        guard targets.contains(where: { $0.obstacle == nil }) else { return targets.map { Self.result($0, .unknown, $0.obstacle) } }
        let signals = StopSignals()
        let server = try Server(
            settings: installation.settings, sink: installation.places.sink, environmentKeys: installation.environmentKeys,
            runner: Installation.runner, logger: StandardErrorLog.logger(installation.settings.log), proxies: .ofProcess)
        defer {
            // Nobody waits for answers now; a refresh in flight is waited for all the same.
            server.drain()
            server.cut()
            ServeCommand.stop(server, signals)
        }
        guard let port = server.addresses.first?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Failure.failed("the server for the probes has no address")
        }
        var signal: Int32?
        var progress = LoginProgress()
        let start = ContinuousClock.now
        defer { progress.clear() }
        let results = ProbeQueue(targets).run(threads: concurrency) { target in
            if let target {
                let seconds = Int((ContinuousClock.now - start).components.seconds)
                progress.show("Asking \(target.provider.id) with \(target.profileID)", seconds: seconds)
            }
            signal = signal ?? signals.next(within: 0)
            return signal == nil
        } probe: { [self] target, isWanted in
            probe(target, ProbeClient(to: .port(port), timeout: timeout, isWanted: isWanted))
        }
        if let signal { throw ExitCode(128 + signal) }
        return results
    }

    private func probe(_ target: ProbeTarget, _ client: ProbeClient) -> ProbeResult {
        if let obstacle = target.obstacle { return Self.result(target, .unknown, obstacle) }
        guard let request = ProbeRequest(for: target.provider, maxTokens: maxTokens) else {
            return Self.result(target, .unknown, "no request is known that every account of \(target.provider.id) may make")
        }
        let isDefaultAgent = installation.agentID == AgentID.normalised(installation.settings.defaultAgent)
        let text = request.text(
            to: target.provider.id, profile: target.isEnvironmentKey ? nil : PercentText.encode(target.profileID),
            agent: isDefaultAgent ? nil : PercentText.encode(installation.agentID))
        let start = ContinuousClock.now
        let outcome = client.send(text)
        let latency = Int64((ContinuousClock.now - start) / .milliseconds(1))
        let verdict =
            switch outcome {
            case .answer(let answer): ProbeVerdict(answer, of: target.provider)
            case .timedOut: ProbeVerdict(.timeout, "no answer within \(Int64(timeout / .milliseconds(1))) ms")
            case .broken: ProbeVerdict(.unknown, "the answer broke off")
            case .unreachable: ProbeVerdict(.unknown, "no server answers")
            case .abandoned: ProbeVerdict(.unknown, "stopped")
            }
        return ProbeResult(target: target, verdict: verdict, latency: latency)
    }

    private static func result(_ target: ProbeTarget, _ status: ProbeVerdict.Status, _ reason: String?) -> ProbeResult {
        ProbeResult(target: target, verdict: ProbeVerdict(status, reason), latency: nil)
    }
}
