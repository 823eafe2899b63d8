/// Keeps a tool from sending requests for this machine to a proxy that the environment names.
enum NoProxy {
    private static let names = ["NO_PROXY", "no_proxy"]
    private static let hosts = ["127.0.0.1", "localhost", "::1"]

    /// The variables, with what they hold already in front. The lower-case one only where it is set: then most tools read no other.
    static func variables(_ environment: [String: String]) -> [Tool.Variable] {
        names.filter { $0 == "NO_PROXY" || environment[$0] != nil }.map { Tool.Variable($0, merged(environment[$0])) }
    }

    /// Whether requests to this machine stay here whatever proxy is named.
    static func covers(_ list: String?) -> Bool {
        let entries = entries(list)
        return entries.contains("*") || entries.contains("127.0.0.1")
    }

    static func merged(_ list: String?) -> String {
        let present = entries(list)
        if present.contains("*") { return "*" }
        return (present + hosts.filter { !present.contains($0) }).joined(separator: ",")
    }

    private static func entries(_ list: String?) -> [String] {
        (list ?? "").split { $0 == "," || $0 == " " }.map(String.init)
    }
}

/// What the environment says about proxies.
public enum ProxyVariables {
    /// Those that would catch a tool's requests to Keybearer: a proxy is named, and this machine is not excepted.
    public static func catching(_ environment: [String: String]) -> [String] {
        let named = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].filter { environment[$0]?.isEmpty == false }
        let excepted = NoProxy.covers(environment["no_proxy"] ?? environment["NO_PROXY"])
        return excepted ? [] : named
    }

    /// Those that would lead Keybearer's own connections to providers through a proxy.
    public static func outward(_ environment: [String: String]) -> [String] {
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].filter { environment[$0]?.isEmpty == false }
    }
}
