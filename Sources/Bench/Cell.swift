/// One measurement: a load of one kind through one proxy, with what it cost.
struct Cell {
    let scenario: Scenario
    let client: Pairing.Version
    let process: PeerProcess
    let round: Int
    /// Seconds that are measured, and before that.
    let seconds, warmUp: Double

    /// Processors kept busy by others from which on a cell is not worth much.
    static let disturbance = 0.3
    /// How often a disturbed cell is measured again: an open loop once, since it takes long and shows medians.
    var repetitions: Int { scenario.rate == nil ? 2 : 1 }

    /// Processor time so far.
    private struct Sample {
        let proxy, own, machine: Double

        init(_ process: PeerProcess) {
            proxy = ProcessTimes.processorSeconds(of: process.processes)
            own = ProcessTimes.ownSeconds()
            machine = ProcessTimes.machineSeconds()
        }
    }

    /// Runs the load.
    func measure(authorityFile: String, _ interruption: Interruption) throws -> Row {
        let pairing = Pairing(client, process.upstream)
        var row = Row(peer: process.peer.name, scenario: scenario.name, pairing: pairing, round: round)
        let residentBefore = ProcessTimes.mebibytes("VmRSS", of: process.processes)
        var resident = residentBefore
        var samples: [Sample] = []
        let report = try Load.run(plan(authorityFile)) { phase in
            switch phase {
            case .measuring: samples.append(Sample(process))
            case .over: samples.append(Sample(process))
            case .holding:
                // What was used to open the streams is given back.
                interruption.sleep(0.3)
                resident = ProcessTimes.mebibytes("VmRSS", of: process.processes)
            case .warming, .opening: break
            }
        } isStopped: {
            interruption.isAsked
        }
        try interruption.check()
        (row.errors, row.firstError) = (report.errors, report.firstError)
        if scenario.isHeld {
            if report.held > 0 { row.metrics[.memoryPerThousand] = (resident - residentBefore) * 1000 / Double(report.held) }
        } else if report.seconds > 0, samples.count == 2 {
            note(report, from: samples[0], to: samples[1], in: &row)
        }
        return row
    }

    /// The load, with what a client of a proxy puts on, which the stub must not see.
    private func plan(_ authorityFile: String) -> LoadPlan {
        var plan = scenario.plan(client, port: process.port(client), seconds: seconds, warmUp: warmUp)
        if process.peer.kind == .direct {
            plan.target = LoadTarget(loopback: process.port, path: scenario.path, host: "localhost", usesTLS: true)
            plan.caFile = authorityFile
            plan.fields = [("Authorization", "Bearer \(Stage.token)"), ("ChatGPT-Account-Id", Stage.account)]
        } else {
            plan.fields = [("Authorization", "Bearer client-placeholder"), ("X-Api-Key", "sk-client")]
        }
        plan.fields += [("Anthropic-Version", "2023-06-01"), ("User-Agent", "keybearer-bench"), ("Accept", "application/json")]
        return plan
    }

    private func note(_ report: LoadReport, from before: Sample, to after: Sample, in row: inout Row) {
        let seconds = report.seconds
        let proxy = after.proxy - before.proxy
        let own = after.own - before.own
        row.metrics[.requestsPerSecond] = Double(report.requests) / seconds
        row.metrics[.ownBusy] = own / seconds
        row.metrics[.othersBusy] = max(0, after.machine - before.machine - proxy - own) / seconds
        if report.events > 0 { row.metrics[.eventsPerSecond] = Double(report.events) / seconds }
        row.metrics[.megabytesPerSecond] = Double(report.bytes) / 1e6 / seconds
        if process.peer.kind != .direct {
            row.metrics[.busy] = proxy / seconds
            row.metrics[.peakMemory] = ProcessTimes.mebibytes("VmHWM", of: process.processes)
            if report.requests > 0 { row.metrics[.cpuPerRequest] = proxy * 1e6 / Double(report.requests) }
            if report.events > 0 { row.metrics[.cpuPerEvent] = proxy * 1e6 / Double(report.events) }
            if report.bytes > 0 { row.metrics[.cpuPerMegabyte] = proxy * 1e6 / (Double(report.bytes) / 1e6) }
        }
        for (times, metrics): (Histogram, [Metric]) in [
            (report.latency, [.latency50, .latency99, .latency999]), (report.firstByte, [.firstByte50, .firstByte99, .firstByte999]),
            (report.eventDelay, [.delay50, .delay99, .delay999]),
        ] {
            for (metric, share) in zip(metrics, [0.5, 0.99, 0.999]) {
                if let time = times.duration(at: share) { row.metrics[metric] = Double(time) / 1000 }
            }
        }
        if report.requests == 0, report.bytes == 0, report.open > 0 {
            row.errors += report.open
            row.firstError = row.firstError ?? "nothing came back"
        }
    }
}
