public import JSON

/// A fault that the sandbox plays on the next matching requests, then forgets.
public struct Fault: Sendable, Equatable {
    /// What goes wrong.
    public enum Kind: Sendable, Equatable {
        /// An error answer in the provider's shape: 401, 403 (entitlement), 429, 500, 529…; `retryAfter` in seconds.
        case status(Int, retryAfter: Int? = nil)
        /// A pause before the answer. Adds to any other fault.
        case slow(Duration)
        /// The answer ends after so many bytes of its body, without TLS's or HTTP's end of message.
        case cut(afterBytes: Int)
        /// The connection is closed without any answer. The request was not carried out.
        case drop
        /// Content-Length promises so many bytes more than come.
        case excessLength(Int)
        /// 200 with an HTML page, as a captive portal answers. The request was not carried out.
        case html
        /// 200 with ten megabytes of white space. The request was not carried out.
        case tenMegabytes
        /// 200 with bytes that are neither JSON nor UTF-8. The request was not carried out.
        case garbage
        /// Token endpoint: a new access token but no refresh token; the old one stays good.
        case noRefreshToken
        /// Token endpoint: tokens of another account. The refresh token that was sent stays good.
        case otherAccount
        /// Token endpoint: the rotation is carried out, then the connection is closed without an answer.
        case commitThenClose
    }

    /// Requests whose path starts with this.
    public var path: String
    /// Only requests that this account pays for; nil for all.
    public var account: String?
    /// How many requests it hits.
    public var times: Int
    /// What goes wrong.
    public var kind: Kind

    /// A fault for the next `times` requests to `path`.
    public init(path: String, account: String? = nil, times: Int = 1, kind: Kind) {
        self.path = path
        self.account = account
        self.times = times
        self.kind = kind
    }

    /// Reads `{"path", "account"?, "times"?, "kind", …}`, the form that `POST /sandbox/faults` takes; nil when it is not one.
    ///
    /// Kinds: `status` (`status`, `retryAfter`?), `slow` (`duration`: `"200ms"`), `cut` (`afterBytes`), `excessLength` (`bytes`), and
    /// by name alone `drop`, `html`, `tenMegabytes`, `garbage`, `noRefreshToken`, `otherAccount`, `commitThenClose`.
    public init?(_ json: Value) {
        guard let path = json["path"]?.string, let name = json["kind"]?.string, let kind = Self.kind(name, json) else { return nil }
        self.init(path: path, account: json["account"]?.string, times: Int(json["times"]?.int64 ?? 1), kind: kind)
    }

    private static func kind(_ name: String, _ json: Value) -> Kind? {
        let integer: (String) -> Int? = { json[$0]?.int64.map { Int($0) } }
        switch name {
        case "status": return integer("status").map { .status($0, retryAfter: integer("retryAfter")) }
        case "slow": return json["duration"]?.string.flatMap(Steering.duration).map { .slow($0) }
        case "cut": return .cut(afterBytes: integer("afterBytes") ?? 0)
        case "excessLength": return .excessLength(integer("bytes") ?? 1)
        case "drop": return .drop
        case "html": return .html
        case "tenMegabytes": return .tenMegabytes
        case "garbage": return .garbage
        case "noRefreshToken": return .noRefreshToken
        case "otherAccount": return .otherAccount
        case "commitThenClose": return .commitThenClose
        default: return nil
        }
    }
}

/// Faults waiting for their requests, first in first out.
struct FaultQueue: Sendable {
    private var waiting: [Fault] = []

    mutating func add(_ fault: Fault) { waiting.append(fault) }
    mutating func clear() { waiting = [] }

    /// The first fault other than `slow` that matches, and the sum of the pauses that do; each is used up by one.
    mutating func take(path: String, account: String?) -> (kind: Fault.Kind?, delay: Duration) {
        var found: Fault.Kind?
        var delay = Duration.zero
        for index in waiting.indices where waiting[index].times > 0 {
            let fault = waiting[index]
            guard path.hasPrefix(fault.path), fault.account == nil || fault.account == account else { continue }
            if case .slow(let pause) = fault.kind {
                delay += pause
            } else if found == nil {
                found = fault.kind
            } else {
                continue
            }
            waiting[index].times -= 1
        }
        waiting.removeAll { $0.times <= 0 }
        return (found, delay)
    }
}
