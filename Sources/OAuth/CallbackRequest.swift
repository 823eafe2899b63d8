import Credentials

/// One request to the callback, as it is understood. Pure: bytes in, a decision out (RFC 9112 §3, RFC 8252 §8.3).
enum CallbackRequest: Equatable {
    /// The head is not complete yet.
    case incomplete
    /// An answer to check against the attempt.
    case answer(AuthorizationAnswer)
    /// Not for us, with the status to say so.
    case refused(status: Int)

    /// More than any browser sends with a redirect; the code and the state are a few hundred bytes.
    static let limit = 16 << 10

    /// Reads what has arrived on one connection.
    ///
    /// Only `GET <path>?…` with exactly one `Host` that names this machine and the port is an answer: a name of someone else's that
    /// resolves to 127.0.0.1 (DNS rebinding) is a request of that someone's page.
    init(_ bytes: [UInt8], redirect: LoopbackRedirect) {
        guard let end = Self.endOfHead(bytes) else {
            // A line break that comes first is tolerated by servers (RFC 9112 §2.2) and sent by no browser.
            self = bytes.count < Self.limit ? .incomplete : .refused(status: 431)
            return
        }
        guard end <= Self.limit else {
            self = .refused(status: 431)
            return
        }
        let text = String(validating: bytes[..<end], as: Unicode.ASCII.self)
        guard let lines = text?.split(separator: "\r\n", omittingEmptySubsequences: false), !lines.isEmpty,
            lines.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 } })
        else {
            self = .refused(status: 400)
            return
        }
        self = Self.decide(lines[0].split(separator: " ", omittingEmptySubsequences: false), fields: lines.dropFirst(), redirect)
    }

    private static func decide(_ start: [Substring], fields: ArraySlice<Substring>, _ redirect: LoopbackRedirect) -> CallbackRequest {
        guard start.count == 3, ["HTTP/1.1", "HTTP/1.0"].contains(start[2]) else { return .refused(status: 400) }
        guard let hosts = hosts(in: fields) else { return .refused(status: 400) }
        guard hosts.count == 1, names(of: redirect).contains(hosts[0]) else { return .refused(status: 421) }
        guard start[0] == "GET" else { return .refused(status: 405) }
        let target = start[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard target[0] == redirect.path else { return .refused(status: 404) }
        guard let answer = AuthorizationAnswer(query: target.count == 2 ? target[1] : "") else { return .refused(status: 400) }
        return .answer(answer)
    }

    /// The values of `Host`; nil when a line is no field.
    private static func hosts(in lines: ArraySlice<Substring>) -> [String]? {
        var hosts: [String] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex, !line[..<colon].contains(where: \.isWhitespace) else {
                return nil
            }
            guard line[..<colon].lowercased() == "host" else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            hosts.append(value.lowercased())
        }
        return hosts
    }

    /// How a browser on this machine, or behind `ssh -L` with the same port, calls us.
    private static func names(of redirect: LoopbackRedirect) -> [String] {
        ["localhost", "127.0.0.1", "[::1]"].map { "\($0):\(redirect.port)" }
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let mark: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= mark.count else { return nil }
        return (0...bytes.count - mark.count).first { bytes[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}
