internal import ArgumentParser
internal import Credentials
internal import Files
internal import Glibc
internal import OAuth
internal import Sockets
internal import Synchronization

/// `keybearer selftest refresh`: one real refresh in a process of its own, for the self-test alone. It prints how each client's refresh
/// ended, a line each.
struct SelftestChild: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "One refresh of the self-test's own login.", shouldDisplay: false)

    /// The file by which a self-test's folder is known: nothing else is ever touched.
    static let mark = ".keybearer-selftest"

    @Option var folder: String
    @Option var profile: String
    @Option var tokenURL: String
    @Option var clientID: String
    @Option var caFile: String
    @Option var at: SelftestPoint?
    @Option var act = SelftestAct.kill
    @Option var clients = 1
    /// ms since 1970.
    @Option var startAt: Int64 = 0
    @Option var fixedTime: Int64?
    @Option var jump: Int64 = 0

    func run() throws {
        guard EndpointURL(tokenURL)?.isLoopback == true, PrivateFile.identity(of: "\(folder)/\(Self.mark)") != nil else {
            throw Failure.usage("this command is for `keybearer selftest` alone")
        }
        // A write beyond the limit is to be an error, as on a full disk.
        _ = signal(SIGXFSZ, SIG_IGN)
        let trip = SelftestTrip(at, act, fixedTime: fixedTime, jump: jump)
        let client = OAuthClient(
            tokenURL: tokenURL, clientID: clientID, clientSecretEnvironment: at == .durabilityProved ? "SELFTEST" : nil, caFile: caFile)
        let refresher = Refresher(
            store: AgentStore(sink: folder), transport: SelftestTransport(trip: trip), clock: trip.clock, environment: trip.variable)
        trip.pass(.start)
        let profile = profile
        let outcomes = Outcomes()
        let refresh: @Sendable () -> Void = {
            outcomes.add(refresher.refresh(profileID: profile, client: client, cause: .expired))
        }
        WallClock.system.sleep(.milliseconds(max(0, startAt - WallClock.system.now())))
        if clients == 1 {
            // As a command does it: on the only thread.
            refresh()
        } else {
            Self.run(refresh, times: clients)
        }
        trip.pass(.closed)
        SelftestTrip.limitFiles(to: nil)
        Output.write(outcomes.lines.joined(), to: STDOUT_FILENO)
    }

    /// Each on a thread of its own; waits for all.
    private static func run(_ body: @escaping @Sendable () -> Void, times: Int) {
        guard times > 0 else { return }
        let thread = Thread(name: "client") { body() }
        run(body, times: times - 1)
        thread.join()
    }

    private final class Outcomes: Sendable {
        private let texts = Mutex<[String]>([])
        func add(_ outcome: RefreshOutcome) { texts.withLock { $0.append("\(SelftestOutcome(outcome).text)\n") } }
        var lines: [String] { texts.withLock { $0 } }
    }
}

/// How a child's refresh ended, as it is told from process to process.
enum SelftestOutcome: Equatable {
    case refreshed, adopted, unchanged
    /// `RefreshFailure.Reason`'s raw value.
    case transient(String)
    case needsLogin

    init(_ outcome: RefreshOutcome) {
        self =
            switch outcome {
            case .refreshed: .refreshed
            case .adopted: .adopted
            case .unchanged: .unchanged
            case .transient(let failure, _): .transient(failure.reason.rawValue)
            case .needsLogin: .needsLogin
            }
    }

    /// What a child has printed.
    init?(_ text: Substring) {
        switch text {
        case "refreshed": self = .refreshed
        case "adopted": self = .adopted
        case "unchanged": self = .unchanged
        case "needs login": self = .needsLogin
        case _ where text.hasPrefix("transient "): self = .transient(String(text.dropFirst("transient ".count)))
        default: return nil
        }
    }

    var text: String {
        switch self {
        case .refreshed: "refreshed"
        case .adopted: "adopted"
        case .unchanged: "unchanged"
        case .transient(let reason): "transient \(reason)"
        case .needsLogin: "needs login"
        }
    }
}
