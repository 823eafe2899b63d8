/// The field names that a proxy of credentials must know: framing, hop-by-hop, routing, the gate's, credentials. All others are `other`.
public enum FieldName: UInt8, Sendable, CaseIterable {
    /// A name that means nothing to us.
    case other
    /// Framing and connection (RFC 9110 §7, RFC 9112 §6).
    case host, connection, contentLength, transferEncoding, te, trailer, upgrade, keepAlive, expect
    /// For or from a proxy; never passed on.
    case proxyConnection, proxyAuthorization, proxyAuthenticate, proxyAuthenticationInfo
    /// What clients prove themselves with (`x-api-key`, `x-goog-api-key`, `api-key`, `chatgpt-account-id`, …).
    case authorization, xAPIKey, xGoogAPIKey, apiKey, cookie, setCookie, chatgptAccountID, openAIOrganization, openAIProject
    /// What the gate looks at; `accessControl` stands for every `access-control-…`.
    case origin, secFetchSite, accessControl
    /// What routes and injection look at.
    case anthropicBeta, anthropicVersion, contentEncoding, contentType, acceptEncoding
    /// Of answers.
    case retryAfter, date, location, altSvc
    /// Our own; `keybearerOther` is every other `keybearer-…` name, and every look-alike with `_` for `-`.
    case keybearerProfile, keybearerSession, keybearerAgent, keybearerOther
    /// RFC 6455.
    case secWebSocketKey, secWebSocketAccept, secWebSocketVersion, secWebSocketProtocol, secWebSocketExtensions

    /// Whether the field belongs to one connection and is never passed on (RFC 9110 §7.6.1).
    public var isHopByHop: Bool {
        switch self {
        case .connection, .transferEncoding, .te, .trailer, .upgrade, .keepAlive, .proxyConnection, .proxyAuthorization, .proxyAuthenticate,
            .proxyAuthenticationInfo:
            true
        default: false
        }
    }

    /// Whether the field carries a credential or an account of the client's own, which is removed from every request before ours is set.
    public var isClientCredential: Bool {
        switch self {
        case .authorization, .xAPIKey, .xGoogAPIKey, .apiKey, .proxyAuthorization, .cookie, .chatgptAccountID, .openAIOrganization,
            .openAIProject:
            true
        default: false
        }
    }

    /// Whether the field is ours, or looks like it: never passed on in either direction.
    public var isKeybearer: Bool {
        switch self {
        case .keybearerProfile, .keybearerSession, .keybearerAgent, .keybearerOther: true
        default: false
        }
    }

    /// Whether the field decides where a message ends or where it goes: a look-alike of it is refused.
    var isFraming: Bool {
        switch self {
        case .host, .connection, .contentLength, .transferEncoding, .te, .trailer, .upgrade, .expect: true
        default: false
        }
    }

    /// Whether the field frames, routes or authenticates, so that nobody may merge it from a trailer into the head (RFC 9110 §6.5.1).
    var isRefusedInTrailers: Bool {
        switch self {
        case .other, .acceptEncoding, .contentEncoding, .contentType, .retryAfter, .date, .location, .altSvc: false
        default: true
        }
    }
}

extension FieldName {
    /// Which name `range` spells, in any case, found by its length and a few of its bytes.
    ///
    /// `range` is a token (RFC 9110 §5.6.2). Throws `.lookalikeField` for what only resembles a framing field (`Content_Length`,
    /// `Transfer--Encoding`): a recipient that folds the difference away, as gateways that make environment variables of names do, would
    /// see a second framing. A look-alike of a credential gets the credential's name, so that it is removed with it.
    @inline(__always)
    init(_ view: ByteView, _ range: Range<Int>) throws(Rejection) {
        self = Self.exact(view, range)
        guard self == .other else { return }
        if Self.isPaddedFraming(view, range) { throw .lookalikeField }
        if view.contains(UInt8(ascii: "_"), in: range) { self = try Self.underscored(view, range) }
    }

    @inline(__always)
    private static func exact(_ view: ByteView, _ range: Range<Int>) -> FieldName {
        guard range.count >= 2, range.count <= 27 else { return prefixed(view, range) }
        let first = view[range.lowerBound] | 0x20
        guard let (name, text) = candidate(range.count, first, view[range.upperBound - 1] | 0x20) else { return prefixed(view, range) }
        return view.spells(text, in: range) ? name : prefixed(view, range)
    }

    /// The only name of that length with that first and last letter.
    @inline(__always)
    private static func candidate(_ count: Int, _ first: UInt8, _ last: UInt8) -> (FieldName, StaticString)? {
        let initial = Unicode.Scalar(first)
        switch count {
        case 2: return (.te, "te")
        case 4: return initial == "h" ? (.host, "host") : (.date, "date")
        case 6:
            switch initial {
            case "c": return (.cookie, "cookie")
            case "e": return (.expect, "expect")
            default: return (.origin, "origin")
            }
        case 7:
            switch initial {
            case "t": return (.trailer, "trailer")
            case "u": return (.upgrade, "upgrade")
            default: return last == UInt8(ascii: "y") ? (.apiKey, "api-key") : (.altSvc, "alt-svc")
            }
        case 8: return (.location, "location")
        case 9: return (.xAPIKey, "x-api-key")
        case 10:
            switch initial {
            case "c": return (.connection, "connection")
            case "k": return (.keepAlive, "keep-alive")
            default: return (.setCookie, "set-cookie")
            }
        case 11: return (.retryAfter, "retry-after")
        case 12: return (.contentType, "content-type")
        case 13: return (.authorization, "authorization")
        case 14:
            switch initial {
            case "c": return (.contentLength, "content-length")
            case "a": return (.anthropicBeta, "anthropic-beta")
            case "o": return (.openAIProject, "openai-project")
            case "s": return (.secFetchSite, "sec-fetch-site")
            default: return (.xGoogAPIKey, "x-goog-api-key")
            }
        case 15:
            return initial == "k" ? (.keybearerAgent, "keybearer-agent") : (.acceptEncoding, "accept-encoding")
        case 16: return initial == "c" ? (.contentEncoding, "content-encoding") : (.proxyConnection, "proxy-connection")
        case 17:
            switch initial {
            case "t": return (.transferEncoding, "transfer-encoding")
            case "a": return (.anthropicVersion, "anthropic-version")
            case "k": return last == UInt8(ascii: "e") ? (.keybearerProfile, "keybearer-profile") : (.keybearerSession, "keybearer-session")
            default: return (.secWebSocketKey, "sec-websocket-key")
            }
        case 18: return initial == "c" ? (.chatgptAccountID, "chatgpt-account-id") : (.proxyAuthenticate, "proxy-authenticate")
        case 19: return initial == "p" ? (.proxyAuthorization, "proxy-authorization") : (.openAIOrganization, "openai-organization")
        case 20: return (.secWebSocketAccept, "sec-websocket-accept")
        case 21: return (.secWebSocketVersion, "sec-websocket-version")
        case 22: return (.secWebSocketProtocol, "sec-websocket-protocol")
        case 24: return (.secWebSocketExtensions, "sec-websocket-extensions")
        case 25: return (.proxyAuthenticationInfo, "proxy-authentication-info")
        default: return nil
        }
    }

    /// Names known by how they begin.
    @inline(__always)
    private static func prefixed(_ view: ByteView, _ range: Range<Int>) -> FieldName {
        guard range.count >= 9 else { return .other }
        let start = range.lowerBound
        switch Unicode.Scalar(view[start] | 0x20) {
        case "k" where view.spells("keybearer", in: start..<start + 9): return .keybearerOther
        case "a" where range.count > 15 && view.spells("access-control-", in: start..<start + 15): return .accessControl
        default: return .other
        }
    }

    /// Whether the letters alone, whatever stands between them, spell a framing field with a body's length or coding.
    @inline(__always)
    private static func isPaddedFraming(_ view: ByteView, _ range: Range<Int>) -> Bool {
        guard range.count >= 13 else { return false }
        return letters(view, range, spell: "contentlength") || letters(view, range, spell: "transferencoding")
    }

    @inline(__always)
    private static func letters(_ view: ByteView, _ range: Range<Int>, spell text: StaticString) -> Bool {
        let text = ByteView(text)
        var matched = 0
        for at in range where Byte.isLetter(view[at]) {
            guard matched < text.count, view[at] | 0x20 == text[matched] else { return false }
            matched += 1
        }
        return matched == text.count
    }

    /// The name that is read when `_` is taken for `-`.
    @inline(never)
    private static func underscored(_ view: ByteView, _ range: Range<Int>) throws(Rejection) -> FieldName {
        guard range.count <= 32 else { return .other }
        var folded = InlineArray<32, UInt8>(repeating: 0)
        for offset in 0..<range.count {
            let byte = view[range.lowerBound + offset]
            folded[offset] = byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte
        }
        let count = range.count
        let name = unsafe withUnsafeBytes(of: folded) { bytes in
            unsafe ByteView(bytes).map { exact($0, 0..<count) } ?? .other
        }
        if name.isFraming { throw .lookalikeField }
        if name.isKeybearer { return .keybearerOther }
        return name.isClientCredential ? name : .other
    }
}
