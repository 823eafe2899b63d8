public import Configuration

/// Decides which provider a request is for, by its target and its host (DESIGN §5). Made once per settings, then only read.
///
/// In this order: `/-/…` is ours; `/agents/<agent>` is noted and skipped; a provider's id as first segment, maybe with `@<profile>`;
/// `routes.hosts`; the well-known paths of the big APIs; `routes.default`. A host that the user mapped goes before the well-known paths,
/// which are only our guess.
///
/// `route` allocates nothing: it compares bytes and returns offsets.
public struct RouteTable: Sendable {
    private let ids: NameTable
    private let fixed = NameTable(["-", "agents"])
    private let hosts: NameTable
    private let hostProviders: [Int]
    private let wellKnown = WellKnownPaths()
    private let prefixes: NameTable
    /// Which of `prefixes` are a provider's, by provider index.
    private let prefixesOfProvider: [Range<Int>]
    private let anthropic: Int?
    private let openai: Int?
    private let codex: Int?
    private let google: Int?
    private let defaultProvider: Int?

    /// The table that these settings make.
    public init(settings: Settings) {
        let providers = settings.providers
        let index = { (id: String) in providers.firstIndex { $0.id == id } }
        ids = NameTable(providers.map(\.id))
        let mapped = settings.routes.hosts.sorted { $0.key < $1.key }.compactMap { host, id in index(id).map { (host, $0) } }
        hosts = NameTable(mapped.map(\.0))
        hostProviders = mapped.map(\.1)
        prefixes = NameTable(providers.flatMap(\.stripPrefixes))
        var next = 0
        prefixesOfProvider = providers.map { provider in
            defer { next += provider.stripPrefixes.count }
            return next..<(next + provider.stripPrefixes.count)
        }
        anthropic = index("anthropic")
        openai = index("openai")
        codex = index("openai-codex")
        google = index("google")
        defaultProvider = settings.routes.default.flatMap(index)
    }

    /// Where a request goes.
    ///
    /// - Parameters:
    ///   - target: path and query in origin form, without bytes outside 0x21-0x7e (the codec has refused those).
    ///   - host: the value of `Host` or `:authority`, with or without port; empty when it must not matter.
    public func route(target: Span<UInt8>, host: Span<UInt8>, hints: HeaderHints = []) -> RouteOutcome {
        let end: Int
        switch PathCheck.run(target) {
        case .flaw(let error): return .unknown(error)
        case .path(let pathEnd): end = pathEnd
        }
        var start = 0
        var agent: Range<Int>?
        var first = Segment.at(0, in: target, end: end)
        switch fixed.index(of: first, in: target) {
        case 0: return .own(restStart: first.upperBound)
        case 1:
            let name = Segment.at(first.upperBound, in: target, end: end)
            guard !name.isEmpty else { return .unknown(.emptyAgent) }
            guard encodedSlash(in: name, of: target) == nil else { return .unknown(.encodedSlash) }
            agent = name
            start = name.upperBound
            first = Segment.at(start, in: target, end: end)
        default: break
        }
        switch named(first, in: target) {
        case .provider(let index, let profile):
            return finish(Route(providerIndex: index, agent: agent, profile: profile, restStart: first.upperBound), target, end)
        case .flaw(let error): return .unknown(error)
        case .none: break
        }
        guard let index = unnamed(target, from: start, to: end, host: host, hints: hints) else { return .unknown(.noRoute) }
        return finish(Route(providerIndex: index, agent: agent, profile: nil, restStart: start), target, end)
    }

    private enum Naming {
        case provider(Int, profile: Range<Int>?)
        case flaw(RouteError)
        case none
    }

    /// Reads a segment as `<provider>[@<profile>]`.
    private func named(_ segment: Range<Int>, in target: Span<UInt8>) -> Naming {
        if let index = ids.index(of: segment, in: target) { return .provider(index, profile: nil) }
        // The first `@` ends the provider, whose id has none; a profile's name may hold more of them. Some libraries encode it.
        var at = segment.lowerBound
        while at < segment.upperBound, target[at] != .at, PercentText.escape(in: target, at: at) != .at || target[at] != .percent {
            at += 1
        }
        if at < segment.upperBound {
            guard let index = ids.index(of: segment.lowerBound..<at, in: target) else { return .flaw(.unknownProvider) }
            let profile = (at + (target[at] == .at ? 1 : 3))..<segment.upperBound
            return profile.isEmpty ? .flaw(.emptyProfile) : .provider(index, profile: profile)
        }
        // Whoever decodes before reading sees a provider here, and whoever reads first does not.
        if let slash = encodedSlash(in: segment, of: target) {
            let head = segment.lowerBound..<slash
            if ids.index(of: head, in: target) != nil || fixed.index(of: head, in: target) != nil { return .flaw(.encodedSlash) }
        }
        return .none
    }

    /// The provider of a path that names none.
    private func unnamed(_ target: Span<UInt8>, from start: Int, to end: Int, host: Span<UInt8>, hints: HeaderHints) -> Int? {
        if hosts.count > 0, let index = hosts.indexIgnoringCase(of: hostName(host), in: host) { return hostProviders[index] }
        switch wellKnown.owner(of: target, from: start, to: end, hints: hints) {
        case .anthropic: return anthropic
        case .openai: return hints.contains(.onlyCodexHasProfiles) ? codex : openai
        case .google: return google
        case nil: return defaultProvider
        }
    }

    /// Cuts the provider's prefix off the rest, and looks at the rest's start once more.
    private func finish(_ route: Route, _ target: Span<UInt8>, _ end: Int) -> RouteOutcome {
        var start = route.restStart
        let own = prefixesOfProvider[route.providerIndex]
        if let prefix = prefix(among: own, of: target, at: start, end: end) { start += prefixes.length(prefix) }
        if start + 1 < end, target[start] == .slash, target[start + 1] == .slash { return .unknown(.doubleSlash) }
        return .provider(Route(providerIndex: route.providerIndex, agent: route.agent, profile: route.profile, restStart: start))
    }

    /// The first of a provider's prefixes that stands at `start` and ends with a segment: `/v1` of `/v1/responses`, not of `/v1x`.
    private func prefix(among own: Range<Int>, of target: Span<UInt8>, at start: Int, end: Int) -> Int? {
        // Not `for … in`: an iterator over the range would retain the table.
        var prefix = own.lowerBound
        while prefix < own.upperBound {
            let after = start + prefixes.length(prefix)
            if after <= end, after == end || target[after] == .slash, prefixes.matches(prefix, in: target, at: start) { return prefix }
            prefix += 1
        }
        return nil
    }

    /// The offset of the first `%2F` or `%5C`.
    private func encodedSlash(in range: Range<Int>, of target: Span<UInt8>) -> Int? {
        var position = range.lowerBound
        while position < range.upperBound {
            if target[position] == .percent, let byte = PercentText.escape(in: target, at: position), byte == .slash || byte == .backslash {
                return position
            }
            position += 1
        }
        return nil
    }

    /// The name in a `Host` field: without port, brackets and the root's dot.
    private func hostName(_ host: Span<UInt8>) -> Range<Int> {
        var end = host.count
        if end > 0, host[0] == UInt8(ascii: "[") {
            var close = 1
            while close < end, host[close] != UInt8(ascii: "]") { close += 1 }
            return 1..<close
        }
        var colon = 0
        while colon < end, host[colon] != .colon { colon += 1 }
        end = colon
        if end > 0, host[end - 1] == .dot { end -= 1 }
        return 0..<end
    }
}
