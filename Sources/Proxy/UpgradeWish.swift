internal import Digest
internal import HTTP
internal import Sockets

/// What the client asks its connection to become (RFC 9110 §7.8). Only WebSocket (RFC 6455) can be had.
enum UpgradeWish {
    case none
    case webSocket
    case refused(Refusal)

    /// Reads the wish from a head. The handshake's own fields are the provider's to judge, but for what decides where the request ends.
    static func read(_ head: borrowing RequestHead, _ bytes: RawSpan) -> UpgradeWish {
        guard head.upgrade, let field = head.first(.upgrade) else { return .none }
        // An offer of HTTP/2 in clear, which some clients make with every request, may be passed over: they go on in HTTP/1.1.
        if !head.containsTwice(.upgrade), FieldText.equals(bytes, field.valueRange, http2InClear) { return .none }
        guard !head.containsTwice(.upgrade), FieldText.equals(bytes, field.valueRange, WebSocket.name) else {
            return .refused(Refusal(.upgradeNotServed))
        }
        // RFC 6455 §4.1: a GET of HTTP/1.1, which has no body; what follows the head are frames, once the provider agrees.
        guard head.method == .get, head.version == .http11, !head.framing.mayHaveBytes, head.contains(.secWebSocketKey),
            !head.containsTwice(.secWebSocketKey)
        else {
            return .refused(
                Refusal(.badRequest, naming: "a WebSocket handshake is a GET of HTTP/1.1 without a body and with one Sec-WebSocket-Key"))
        }
        return .webSocket
    }

    private static let http2InClear = Array("h2c".utf8)
}

/// The parts of RFC 6455 that a tunnel needs: the handshake. Frames are the two ends' own.
enum WebSocket {
    /// The protocol's name in `Upgrade`.
    static let name = Array("websocket".utf8)

    /// Whether an answer is the agreement to this very handshake (RFC 6455 §4.1): a 101 that says so, with the key's answer. A provider, or
    /// something between, that answers 101 without having understood is not tunnelled to.
    static func accepts(
        _ answer: borrowing ResponseHead, _ bytes: RawSpan, key request: borrowing RequestHead, _ requestBytes: RawSpan
    ) -> Bool {
        guard let upgrade = answer.first(.upgrade), !answer.containsTwice(.upgrade), FieldText.equals(bytes, upgrade.valueRange, name),
            let accept = answer.first(.secWebSocketAccept), !answer.containsTwice(.secWebSocketAccept),
            let key = request.first(.secWebSocketKey)
        else { return false }
        let wanted = acceptance(of: FieldText.string(requestBytes, key.valueRange))
        return FieldText.string(bytes, accept.valueRange) == wanted
    }

    /// RFC 6455 §4.2.2: base64 of SHA-1 of the key and the protocol's own identifier.
    static func acceptance(of key: String) -> String {
        Base64.encode(SHA1.hash(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }

    /// Subprotocols by which a page's script, which cannot set a header, sends a key or an account (OpenAI's realtime API): the client's own
    /// go out, as its headers do, and the profile's go into the header.
    static let credentialSubprotocols = ["openai-insecure-api-key.", "openai-organization.", "openai-project."].map { Array($0.utf8) }

    /// Writes `Sec-WebSocket-Protocol` without subprotocols that carry a credential; nothing when no other is left.
    static func writeSubprotocols(_ field: FieldLine, of bytes: RawSpan, to output: inout ByteQueue) {
        var isFirst = true
        var start = field.valueRange.lowerBound
        while start <= field.valueRange.upperBound {
            var end = start
            while end < field.valueRange.upperBound, FieldText.byte(bytes, end) != UInt8(ascii: ",") { end += 1 }
            let member = FieldText.trimmed(bytes, start..<end)
            if !member.isEmpty, !credentialSubprotocols.contains(where: { FieldText.begins(bytes, member, with: $0) }) {
                if isFirst {
                    output.append(bytes.extracting(field.nameRange))
                    output.append(": ")
                } else {
                    output.append(", ")
                }
                output.append(bytes.extracting(member))
                isFirst = false
            }
            start = end + 1
        }
        if !isFirst { output.append("\r\n") }
    }
}
