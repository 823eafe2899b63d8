internal import JSON

/// What came of a load.
struct LoadReport {
    /// Requests whose answers were as expected, in the time that was measured.
    var requests = 0
    /// Everything that was not as expected, at any time.
    var errors = 0
    /// What the first one was.
    var firstError: String?
    /// Connections that were opened anew.
    var reconnects = 0
    var events = 0
    /// Of the answers' bodies.
    var bytes = 0
    /// Seconds that were measured.
    var seconds = 0.0
    /// Requests under way at the end.
    var open = 0
    /// Streams that had their first byte, where they were held.
    var held = 0
    /// From the scheduled start in an open loop, else from the start, to the whole answer, to the body's first byte; and from an event's
    /// writing to its arrival.
    var latency = Histogram()
    var firstByte = Histogram()
    var eventDelay = Histogram()

    /// Errors after which a load is given up.
    static let errorLimit = 2_000

    mutating func note(error: String) {
        errors += 1
        if firstError == nil { firstError = error }
    }

    /// For programs. Times are in microseconds.
    var json: Value {
        [
            "requests": .integer(Int64(requests)), "errors": .integer(Int64(errors)), "firstError": firstError.map { .string($0) } ?? nil,
            "reconnects": .integer(Int64(reconnects)), "events": .integer(Int64(events)), "bytes": .integer(Int64(bytes)),
            "seconds": .decimal(seconds, places: 3), "open": .integer(Int64(open)), "held": .integer(Int64(held)),
            "latency": Self.json(latency), "firstByte": Self.json(firstByte), "eventDelay": Self.json(eventDelay),
        ]
    }

    /// The shares of all that are told, by name.
    static let quantiles: [(name: String, share: Double)] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)]

    private static func json(_ times: Histogram) -> Value {
        guard times.count > 0 else { return nil }
        var members = [("count", Value.integer(Int64(times.count))), ("mean", .decimal(times.mean / 1000, places: 2))]
        for (name, share) in quantiles { members.append((name, .decimal(Double(times.duration(at: share) ?? 0) / 1000, places: 2))) }
        members.append(("max", .decimal(Double(times.longest) / 1000, places: 2)))
        return .object(Object(members))
    }

    /// For people, a line each.
    var lines: [[String]] {
        var rows = [["errors", firstError.map { "\(errors); the first: \($0)" } ?? "0"]]
        if seconds > 0 {
            let text = "\(requests) in \(Decimal.text(seconds, places: 2)) s, \(Decimal.text(rate(requests), places: 0)) a second"
            rows.insert(["requests", text], at: 0)
        }
        if reconnects > 0 { rows.append(["reconnects", "\(reconnects)"]) }
        if events > 0 { rows.append(["events", "\(events), \(Decimal.text(rate(events), places: 0)) a second"]) }
        if held > 0 { rows.append(["held", "\(held) streams"]) }
        if bytes > 0 { rows.append(["received", "\(Decimal.text(Double(bytes) / 1e6, places: 1)) MB"]) }
        for (name, times) in [("latency", latency), ("first byte", firstByte), ("event delay", eventDelay)] where times.count > 0 {
            rows.append([name, Self.text(times)])
        }
        return rows
    }

    private func rate(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }

    private static func text(_ times: Histogram) -> String {
        let parts = quantiles.map { "\($0.name) \(Decimal.text(Double(times.duration(at: $0.share) ?? 0) / 1000, places: 0))" }
        return (parts + ["max \(Decimal.text(Double(times.longest) / 1000, places: 0))"]).joined(separator: ", ") + " µs"
    }
}
