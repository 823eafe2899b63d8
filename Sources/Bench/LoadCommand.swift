internal import ArgumentParser
internal import JSON
internal import Sockets

/// `keybearer-bench load`
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Make requests to a URL, check every answer, and tell how long they took.",
        discussion: """
            A closed loop, in which each connection or stream makes its next request when the last one is answered; with --rate an open one, \
            in which requests begin when they are due and latency counts from then. Use it only against servers of your own.

            EXAMPLES
              keybearer-bench load http://127.0.0.1:5392/v1/messages --body 4096 --connections 64 --expect-bytes 2048
              keybearer-bench load http://127.0.0.1:5392/sse?n=50 --http2 --connections 4 --streams 50 --body 1024 --expect-events 50
              keybearer-bench load https://127.0.0.1:9443/v1/messages --ca ca.pem --rate 1000 --json
            """)

    @Argument(help: "http:// or https://, a name or an address, and a path.")
    var url: String
    @Flag(name: .customLong("http2"), help: "HTTP/2: by ALPN over TLS, with prior knowledge in clear.")
    var usesHTTP2 = false
    @Option(help: "Connections.")
    var connections = 1
    @Option(help: "Requests at a time on each connection of HTTP/2.")
    var streams = 1
    @Option(name: .customLong("body"), help: ArgumentHelp("Size of a request's body; 0 makes GET requests.", valueName: "bytes"))
    var bodySize = 0
    @Option(help: ArgumentHelp("Open loop: requests a second, over all connections.", valueName: "requests"))
    var rate: Double?
    @Option(help: ArgumentHelp("How long is measured.", valueName: "seconds"))
    var duration = 3.0
    @Option(help: ArgumentHelp("How long before that the load runs already.", valueName: "seconds"))
    var warmUp = 1.0
    @Option(help: ArgumentHelp("An answer has exactly that many bytes.", valueName: "bytes"))
    var expectBytes: Int?
    @Option(help: ArgumentHelp("An answer is that many events, the last of which is message_stop.", valueName: "events"))
    var expectEvents: Int?
    @Option(name: .customLong("header"), help: ArgumentHelp("A field of every request; may be repeated.", valueName: "name: value"))
    var headers: [String] = []
    @Option(help: ArgumentHelp("Wait for the first byte of every connection and stream, and hold them so long.", valueName: "seconds"))
    var hold: Double?
    @Option(help: ArgumentHelp("PEM file of an authority to trust besides the system's.", valueName: "file"), completion: .file())
    var ca: String?
    @Flag(help: "Print JSON; times are in microseconds.")
    var json = false

    func validate() throws {
        guard LoadTarget(url: url) != nil else { throw ValidationError("\(url) is no http:// or https:// URL.") }
        guard connections > 0, streams > 0, connections * streams <= 60_000 else {
            throw ValidationError("--connections and --streams are at least 1, and no more than 60,000 requests are made at a time.")
        }
        guard streams == 1 || usesHTTP2 else { throw ValidationError("--streams wants --http2.") }
        guard bodySize >= 0, duration > 0, warmUp >= 0, (hold ?? 1) > 0, (rate ?? 1) > 0 else {
            throw ValidationError("--body and --warm-up are not below 0; --duration, --hold and --rate are above it.")
        }
        guard expectBytes == nil || expectEvents == nil else {
            throw ValidationError("--expect-bytes and --expect-events exclude each other.")
        }
        for header in headers where Self.field(header) == nil {
            throw ValidationError("--header takes \"name: value\", not \"\(header)\".")
        }
    }

    /// `name: value`, cut; nil when it is none, or would be more than one line.
    static func field(_ text: String) -> (name: String, value: String)? {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            return nil
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        return (String(text[..<colon]), String(value))
    }

    /// What the options ask for.
    var plan: LoadPlan? {
        guard let target = LoadTarget(url: url) else { return nil }
        var plan = LoadPlan(target: target)
        plan.usesHTTP2 = usesHTTP2
        plan.connections = connections
        plan.streams = streams
        plan.bodySize = bodySize
        plan.rate = rate
        plan.duration = duration
        plan.warmUp = warmUp
        plan.hold = hold
        plan.caFile = ca
        plan.fields = headers.compactMap(Self.field)
        if let expectBytes { plan.expectation = .bytes(expectBytes) }
        if let expectEvents { plan.expectation = .events(expectEvents) }
        return plan
    }

    func run() throws {
        guard let plan else { return }
        Limits.raiseOpenFiles()
        let report = try Load.run(plan)
        if json { Console.json(report.json) } else { Console.table(report.lines) }
        if report.errors > 0 { throw ExitCode.failure }
    }
}
