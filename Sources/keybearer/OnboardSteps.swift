internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Sockets
internal import Tools

/// What `onboard` does once there are profiles.
struct OnboardSteps {
    /// Made with ``ProbeRun/overrides``.
    let installation: Installation
    let options: GlobalOptions
    /// Whether a person is there to be asked.
    let isAsked: Bool
    /// The profiles that were there before.
    let known: Set<String>
    let signals: OnboardSignals

    private func report() throws -> StatusReport {
        StatusReport(
            settings: installation.settings, snapshot: try installation.load(), environmentKeys: installation.environmentKeys,
            now: Clock.wall())
    }

    // MARK: Order

    /// A new profile goes into an order that was set by command; where several can be used, a person may choose another order.
    func setOrder() throws {
        for provider in try report().providers where provider.isKnown {
            let usable = provider.entries.filter(\.isUsable).map(\.id)
            let left = provider.entries.filter { $0.eligibility == .excludedByAuthOrder && !known.contains($0.id) }.map(\.id)
            if provider.source == .store, !left.isEmpty {
                let isWanted =
                    isAsked
                    ? try OnboardPrompt.confirm("\n\(provider.id): put \(left.joined(separator: ", ")) first in the order?", usual: true)
                    : true
                if isWanted { try set(left + usable, of: provider.id) }
            } else if isAsked, usable.count > 1 {
                Output.error("\n\(provider.id) is used in this order:")
                for (number, id) in usable.enumerated() { Output.error("  \(number + 1)  \(id)") }
                let question = "Another order, such as \"2 1\", or Enter to keep it: "
                if let places = try OnboardPrompt.order(question, of: usable.count) {
                    try set(places.map { usable[$0] }, of: provider.id)
                }
            }
        }
    }

    private func set(_ ids: [String], of provider: String) throws {
        _ = try Waiting.show(Waiting.store) { () throws(StoreError) in try installation.store.setOrder(ids, provider: provider) }
        Output.line("order of \(provider): \(ids.joined(separator: ", "))")
    }

    // MARK: Service

    /// Writes the systemd unit after a yes, or `wanted`; one that somebody has changed is left alone.
    func offerUnit(wanted: Bool) throws {
        guard let unit = OnboardUnit(installation, options) else {
            if wanted { throw Failure.failed("there is no systemctl on the PATH; start the server yourself: keybearer serve") }
            return
        }
        switch unit.state {
        case .present: return Output.line("\(unit.path) is there already; to start it: \(OnboardUnit.start)")
        case .different:
            return Output.error("note: \(unit.path) is there and differs from ours; it was left alone")
        case .absent: break
        }
        let question = "\nStart the server with your session, as a systemd user service (\(unit.path))?"
        guard try wanted || isAsked && OnboardPrompt.confirm(question, usual: false) else { return }
        try unit.write()
        Output.line("wrote \(unit.path); to start it: \(OnboardUnit.start)")
    }

    // MARK: Tools

    /// Sets those tools up that are found and whose files can be edited, after one yes, or those of `wanted`; for the others says what to
    /// type.
    func offerTools(_ found: [OnboardScan.FoundTool], wanted: [String]) throws {
        var done: Set<String> = []
        var offered: [ToolSettings] = []
        for kind in ToolSettings.Kind.allCases {
            let isFound = found.contains { $0.tool.id == kind.rawValue }
            guard wanted.contains(kind.rawValue) || isAsked && isFound, let settings = ToolPlace.settings(kind) else { continue }
            if let base = (try? settings.base()) ?? nil {
                Output.line("\(settings.path) points at \(base) already")
                done.insert(kind.rawValue)
            } else {
                offered.append(settings)
            }
        }
        for settings in try chosen(of: offered, wanted) {
            try setUp(settings)
            done.insert(settings.kind.rawValue)
        }
        for other in found where !done.contains(other.tool.id) && other.tool.way != .none {
            Output.line("\(other.tool.name): keybearer run -- \(other.tool.programs.first ?? other.tool.id)")
        }
    }

    /// Those that were named; at a terminal the others as well, if the person agrees.
    private func chosen(of offered: [ToolSettings], _ wanted: [String]) throws -> [ToolSettings] {
        let named = offered.filter { wanted.contains($0.kind.rawValue) }
        guard isAsked, named.count < offered.count else { return named }
        Output.error("\nThese tools can be pointed at Keybearer for good, until `keybearer tools setup TOOL --undo`:")
        for settings in offered { Output.error("  \(settings.kind.toolName)  \(settings.path)") }
        return try OnboardPrompt.confirm("Write Keybearer into their own settings?", usual: false) ? offered : named
    }

    private func setUp(_ settings: ToolSettings) throws {
        do {
            try ToolsCommand.Setup.parse([settings.kind.rawValue] + options.passedOn).run()
        } catch {
            // In a script it counts; a person goes on with the next step.
            guard isAsked, let failure = Failure(error) else { throw error }
            Output.error("keybearer: \(failure.description)")
        }
    }

    // MARK: The first request

    /// Makes a real request with the first usable profile of every provider that has a new one, or of every provider when none is new,
    /// and prints the answer. Whether all were served; none at all is no failure.
    func ask() throws -> Bool {
        let report = try report()
        let usable = ProbeTarget.all(report, installation.settings).filter { $0.obstacle == nil }
        let fresh = usable.filter { !known.contains($0.profileID) && !$0.isEnvironmentKey }
        var seen: Set<String> = []
        let targets = (fresh.isEmpty ? usable : fresh).filter { seen.insert($0.provider.id).inserted }
        guard !targets.isEmpty else {
            Output.line("There is no profile that can be used yet, so no request was made.")
            return true
        }
        if isAsked {
            let names = targets.map(\.profileID).joined(separator: ", ")
            guard try OnboardPrompt.confirm("\nMake a first request with \(names)? (one token, or a list of models)", usual: true) else {
                return true
            }
        }
        defer { signals.restore() }
        let results = try ProbeRun(installation).run(targets)
        for result in results {
            let detail = result.verdict.gist ?? result.verdict.reason ?? "it has answered"
            let time = result.latency.map { " after \($0) ms" } ?? ""
            Output.line("\(result.target.profileID): \(result.verdict.status.rawValue)\(time): \(detail)")
        }
        return results.allSatisfy { $0.verdict.status == .ok }
    }

    // MARK: The end

    /// Where the server is, and how a tool gets to it.
    ///
    /// - Parameter installation: one without the overrides of the probes.
    func tellWhatIsNext(_ installation: Installation, _ found: [OnboardScan.FoundTool]) throws {
        let address = try ToolTarget(installation).address
        let isRunning = LocalServer(address).health(of: installation) == .ours
        Output.line(isRunning ? "\nThe server answers at http://\(address)." : "\nStart the server: keybearer serve")
        let program = found.first { $0.tool.way != .none }?.tool.programs.first ?? "claude"
        Output.line("Start a tool: keybearer run -- \(program)    Look after the profiles: keybearer models status")
    }
}
