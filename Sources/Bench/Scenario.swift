/// A kind of work that proxies are given.
struct Scenario: Sendable {
    let name: String
    /// For tables.
    let title: String
    let path: String
    /// Bytes of a request's body.
    let bodySize: Int
    let expectation: ExpectedAnswer
    /// Connections of HTTP/1.1.
    let connections: Int
    /// Connections of HTTP/2, and streams on each.
    let http2: (connections: Int, streams: Int)
    /// Open loop: requests a second.
    var rate: Double?
    /// All streams are opened and held; memory is measured.
    var isHeld = false
    /// Seconds before measuring at least: two hundred upstream connections shake hands first.
    var warmUp = 0.0
    /// So many times as many rounds, each so many times as long, are measured. How two hundred paced streams fall together differs so much from
    /// cell to cell that four rounds of a second are a quarter apart from the next four; eight of two, a tenth.
    var weight = 1
    /// What proxies are compared by; nil: by what the columns show.
    let cost: Metric?
    /// What is shown besides the cost.
    let columns: [Metric]

    /// Those there are, in the order in which they are run.
    static let all: [Scenario] = [
        Scenario(
            name: "json4k", title: "POST 4 KiB, 2 KiB of JSON back, 64 at a time", path: "/v1/messages", bodySize: 4096,
            expectation: .bytes(2048), connections: 64, http2: (2, 32), cost: .cpuPerRequest,
            columns: [.requestsPerSecond, .busy, .latency50, .latency99, .latency999, .peakMemory]),
        Scenario(
            name: "json64k", title: "POST 64 KiB, 2 KiB of JSON back, 32 at a time", path: "/v1/messages", bodySize: 65_536,
            expectation: .bytes(2048), connections: 32, http2: (2, 16), cost: .cpuPerRequest,
            columns: [.requestsPerSecond, .busy, .latency50, .latency99]),
        Scenario(
            name: "up1m", title: "POST 1 MiB, 2 KiB of JSON back, 8 at a time", path: "/v1/messages", bodySize: 1 << 20,
            expectation: .bytes(2048), connections: 8, http2: (2, 4), cost: .cpuPerRequest,
            columns: [.requestsPerSecond, .busy, .latency50, .latency99, .peakMemory]),
        Scenario(
            name: "dl16m", title: "GET 16 MiB, 4 at a time", path: "/download?bytes=16777216", bodySize: 0, expectation: .bytes(16_777_216),
            connections: 4, http2: (2, 2), cost: .cpuPerMegabyte, columns: [.megabytesPerSecond, .busy, .peakMemory]),
        Scenario(
            name: "sse", title: "Streams of 2,000 events as fast as they come, 16 at a time", path: "/sse?n=2000", bodySize: 1024,
            expectation: .events(2000), connections: 16, http2: (2, 8), cost: .cpuPerEvent, columns: [.eventsPerSecond, .busy]),
        Scenario(
            name: "ssep", title: "200 streams, an event each 20 ms", path: "/sse?n=50&ms=20", bodySize: 1024, expectation: .events(50),
            connections: 200, http2: (4, 50), warmUp: 1, weight: 2, cost: .cpuPerEvent,
            columns: [.eventsPerSecond, .delay50, .delay99, .delay999]),
        Scenario(
            name: "lat", title: "POST 4 KiB, 1,000 a second", path: "/v1/messages", bodySize: 4096, expectation: .bytes(2048),
            connections: 16, http2: (2, 8), rate: 1000, cost: nil,
            columns: [.requestsPerSecond, .latency50, .latency99, .latency999, .cpuPerRequest]),
        Scenario(
            name: "ttfb", title: "First byte of a stream, 500 a second", path: "/sse?n=2", bodySize: 4096, expectation: .events(2),
            connections: 16, http2: (2, 8), rate: 500, cost: nil,
            columns: [.requestsPerSecond, .firstByte50, .firstByte99, .firstByte999]),
        Scenario(
            name: "idle", title: "1,000 open streams without an event", path: "/sse?n=1000000&idle=1", bodySize: 256,
            expectation: .events(0), connections: 1000, http2: (10, 100), isHeld: true, cost: nil, columns: [.memoryPerThousand]),
    ]

    /// Before memory is looked at: every path has been used, and pools are filled.
    static let warming = Scenario(
        name: "warming", title: "", path: "/sse?n=2", bodySize: 4096, expectation: .events(2), connections: 2, http2: (1, 2), rate: 100,
        cost: nil, columns: [])

    /// The scenario called `name`.
    static func named(_ name: some StringProtocol) -> Scenario? { all.first { $0.name == name } }

    /// The load that it is.
    ///
    /// - Parameters:
    ///   - port: the proxy's.
    ///   - seconds: how long is measured; an open loop twice as long, since its tails need many requests; and see ``weight``.
    func plan(_ version: Pairing.Version, port: UInt16, seconds: Double, warmUp: Double) -> LoadPlan {
        var plan = LoadPlan(target: LoadTarget(loopback: port, path: path))
        plan.usesHTTP2 = version == .h2
        plan.connections = version == .h2 ? http2.connections : connections
        plan.streams = version == .h2 ? http2.streams : 1
        plan.bodySize = bodySize
        plan.rate = rate
        plan.duration = (rate == nil ? seconds : seconds * 2) * Double(weight)
        plan.warmUp = max(warmUp, self.warmUp)
        plan.hold = isHeld ? 1 : nil
        plan.expectation = expectation
        return plan
    }
}
