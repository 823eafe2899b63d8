internal import HTTP
internal import Sockets

// MARK: - What a browser is told about a page whose origin is admitted (WHATWG Fetch, §3.2)

extension Worker {
    /// Answers a preflight, which never goes to a provider: the browser asks us and not it. False when the request is none.
    mutating func answerPreflight(_ id: Int32, _ bytes: RawSpan) -> Bool {
        guard exchanges[id].head.method == .options, let method = requested(id, CrossOrigin.method, bytes) else { return false }
        var fields = "Access-Control-Allow-Methods: \(CrossOrigin.methods)\r\n"
        if !CrossOrigin.isToken(method) { return false }
        if let names = requested(id, CrossOrigin.headers, bytes), CrossOrigin.isList(names) {
            fields += "Access-Control-Allow-Headers: \(names)\r\n"
        }
        if requested(id, CrossOrigin.privateNetwork, bytes)?.lowercased() == "true" {
            fields += "Access-Control-Allow-Private-Network: true\r\n"
        }
        answer(id, status: 204, fields: fields + "Access-Control-Max-Age: 600\r\n", body: "")
        return true
    }

    private func requested(_ id: Int32, _ name: [UInt8], _ bytes: RawSpan) -> String? {
        for index in 0..<exchanges[id].head.fieldCount {
            let field = exchanges[id].head[index]
            if field.name == .accessControl, FieldText.equals(bytes, field.nameRange, name) {
                return FieldText.string(bytes, field.valueRange)
            }
        }
        return nil
    }

    /// The fields that let the page read the answer. Credentials of the browser's (cookies) are none here, so that they are not allowed.
    func crossOriginFields(_ id: Int32) -> String {
        guard exchanges[id].allowsOrigin, let origin = exchanges[id].head.first(.origin) else { return "" }
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        return "Access-Control-Allow-Origin: \(FieldText.string(bytes, origin.valueRange))\r\nVary: Origin\r\n"
            + "Access-Control-Expose-Headers: \(CrossOrigin.exposed)\r\n"
    }
}

/// Names and lists of cross-origin requests.
enum CrossOrigin {
    static let method = Array("access-control-request-method".utf8)
    static let headers = Array("access-control-request-headers".utf8)
    static let privateNetwork = Array("access-control-request-private-network".utf8)
    static let methods = "GET, HEAD, POST, PUT, PATCH, DELETE"
    static let exposed = "Keybearer-Profile, Keybearer-Reason, Keybearer-Request-Id, Retry-After, Request-Id, X-Request-Id"

    /// RFC 9110 §5.6.2
    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }
    /// Names with commas between them.
    static func isList(_ text: String) -> Bool {
        text.split(separator: ",").allSatisfy { isToken($0.drop { $0 == " " }.prefix { $0 != " " }) } && !text.isEmpty
    }
}
