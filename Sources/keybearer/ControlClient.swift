internal import JSON
internal import Routing
internal import Sockets

/// Speaks to the server that runs with a state directory, by its control socket.
struct ControlClient {
    /// What the server says of itself (`/-/status`).
    struct Status: Equatable {
        let process: Int
        /// Where it serves requests.
        let addresses: [String]
    }

    private let client: ProbeClient

    /// The server of this state directory, whether one runs or not.
    init(stateDirectory: String, timeout: Duration = .seconds(5)) {
        client = ProbeClient(to: .unixSocket(Self.path(in: stateDirectory)), timeout: timeout) { true }
    }

    /// Where the control socket is.
    static func path(in stateDirectory: String) -> String { stateDirectory + "/run/control.sock" }

    /// What the server says of itself; nil when none runs.
    var status: Status? {
        guard let answer = try? ask("GET", "/-/status"), answer.status == 200, let process = answer.value["process"]?.int64 else {
            return nil
        }
        return Status(process: Int(process), addresses: answer.value["addresses"]?.array?.compactMap(\.string) ?? [])
    }

    /// The answer to a request without a body; nil when no server runs. Members of the query are encoded here.
    ///
    /// - Throws: `Failure` with code 1 when a server runs and refuses, in its words; 69 when it does not answer.
    func value(_ method: String, _ path: [String], _ query: [(String, String)] = []) throws -> Value? {
        let target = "/-/" + path.map(PercentText.encode).joined(separator: "/")
        let members = query.map { "\(PercentText.encode($0))=\(PercentText.encode($1))" }.joined(separator: "&")
        guard let answer = try ask(method, members.isEmpty ? target : "\(target)?\(members)") else { return nil }
        guard answer.status == 200 else {
            throw Failure.failed(answer.value["error"]?["message"]?.string ?? "the server answered \(answer.status)")
        }
        return answer.value
    }

    private func ask(_ method: String, _ target: String) throws -> (status: Int, value: Value)? {
        let length = method == "GET" ? "" : "Content-Length: 0\r\n"
        switch client.send("\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(length)Connection: close\r\n\r\n") {
        case .answer(let answer): return (answer.status, (try? Reader.parse(answer.body)) ?? .null)
        case .unreachable: return nil
        case .timedOut, .broken, .abandoned: throw Failure.unreachable("the running server does not answer on its control socket")
        }
    }
}
