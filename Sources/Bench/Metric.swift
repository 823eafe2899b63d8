/// What is measured of a cell. Times are in microseconds of processor time or of the clock.
enum Metric: String, CaseIterable, Sendable {
    case requestsPerSecond, eventsPerSecond, megabytesPerSecond
    /// Processor time of the proxy.
    case cpuPerRequest, cpuPerEvent, cpuPerMegabyte
    /// Processors that the proxy, the bench itself and everything else kept busy.
    case busy, ownBusy, othersBusy
    case latency50, latency99, latency999
    case firstByte50, firstByte99, firstByte999
    case delay50, delay99, delay999
    /// MiB: the most that the proxy has had resident, and what a thousand open streams add.
    case peakMemory, memoryPerThousand

    /// The number behind the name in tables.
    var places: Int {
        switch self {
        case .requestsPerSecond, .eventsPerSecond, .megabytesPerSecond: 0
        case .cpuPerEvent, .busy, .ownBusy, .othersBusy: 2
        case .cpuPerRequest, .cpuPerMegabyte, .memoryPerThousand, .peakMemory: 1
        case .latency50, .latency99, .latency999, .firstByte50, .firstByte99, .firstByte999, .delay50, .delay99, .delay999: 0
        }
    }

    /// The head of its column.
    var title: String {
        switch self {
        case .requestsPerSecond: "requests/s"
        case .eventsPerSecond: "events/s"
        case .megabytesPerSecond: "MB/s"
        case .cpuPerRequest: "CPU µs/request"
        case .cpuPerEvent: "CPU µs/event"
        case .cpuPerMegabyte: "CPU µs/MB"
        case .busy: "CPU busy"
        case .ownBusy: "bench busy"
        case .othersBusy: "others busy"
        case .latency50: "p50 µs"
        case .latency99: "p99 µs"
        case .latency999: "p99.9 µs"
        case .firstByte50: "first byte p50 µs"
        case .firstByte99: "p99 µs"
        case .firstByte999: "p99.9 µs"
        case .delay50: "event delay p50 µs"
        case .delay99: "p99 µs"
        case .delay999: "p99.9 µs"
        case .peakMemory: "peak MiB"
        case .memoryPerThousand: "MiB/1,000 streams"
        }
    }
}
