import HTTP
import Testing

/// A small generator with a seed (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// Damaged messages by the hundred thousand: nothing crashes, every offset lies inside the bytes, and what is admitted keeps the rules.
@Suite struct MutationTests {
    private static let heads = [
        "GET /openai/v1/models?limit=2 HTTP/1.1\r\nHost: localhost:5392\r\nAccept: */*\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\n\r\n",
        "POST http://a:80/v1/messages HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\nExpect: 100-continue\r\nx-api-key: k\r\n\r\n",
        "PUT /x HTTP/1.1\r\nHost: [::1]:1\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nKeybearer-Profile: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nDate: today\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nSet-Cookie: a=b\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\nContent-Length: 10\r\nRetry-After: 3\r\n\r\n",
        "5;a=\"b\"\r\nhello\r\n1;c\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n",
    ].map { latin1($0) }
    private static let fragments = [
        "\r\n", "\r", "\n", " ", "\t", ":", ",", "\u{00}", "\u{7f}", "\u{80}", "#", "@", "_", "-", "0", "9", "\"", ";",
        "Content-Length: 1\r\n",
        "Transfer-Encoding: chunked\r\n", "Host: a\r\n", "Connection: host\r\n", "chunked", "HTTP/1.1", "close",
    ].map { latin1($0) }

    private static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = heads.randomElement(using: &generator)!
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.insert(contentsOf: fragments.randomElement(using: &generator)!, at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &generator)))
            default: bytes.insert(contentsOf: bytes[place...].prefix(Int.random(in: 1...40, using: &generator)), at: place)
            }
        }
        return bytes
    }

    @Test(arguments: 0..<8)
    func twentyFiveThousandDamagedMessagesKeepTheRules(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var request = RequestHead()
        var response = ResponseHead()
        var admitted = 0
        for _ in 0..<25_000 {
            let bytes = Self.mutated(&generator)
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            let whole = request.read(bytes)
            if let fault = Self.fault(whole, bytes) { Issue.record("\(fault): \(text(bytes, 0..<bytes.count).debugDescription)") }
            admitted += whole.isComplete ? 1 : 0
            request.reset()
            let beginning = request.read(Array(bytes[..<cut]))
            let inTwo = beginning.outcome == .incomplete ? request.read(bytes) : beginning
            if inTwo != whole { Issue.record("cut at \(cut): \(text(bytes, 0..<bytes.count).debugDescription)") }
            request.reset()
            let answer = response.read(bytes)
            if let fault = Self.fault(answer, bytes) { Issue.record("\(fault): \(text(bytes, 0..<bytes.count).debugDescription)") }
            response.reset()
            if DecodedBody(bytes) != DecodedBody(bytes, cutAt: [cut]) { Issue.record("body cut at \(cut): \(bytes)") }
        }
        // Else the mutations are too rough to reach the deeper rules.
        #expect(admitted > 2000)
    }

    /// What is wrong with an admitted head, or nil. Its texts were cut out of `bytes`, so an offset outside has trapped before.
    private static func fault(_ head: ParsedHead, _ bytes: [UInt8]) -> String? {
        guard case .complete(let count) = head.outcome else { return nil }
        guard count <= bytes.count, bytes[..<count].suffix(4) == [13, 10, 13, 10] else { return "the head does not end in an empty line" }
        let isRequest = head.status == 0
        let names = head.fields.map { $0.name.lowercased() }
        let lengths = names.filter { $0 == "content-length" }.count
        let codings = names.filter { $0 == "transfer-encoding" }.count
        if lengths + codings > 1 { return "two framings" }
        if isRequest, names.filter({ $0 == "host" }).count != 1 { return "not one Host" }
        if isRequest, !head.target.utf8.starts(with: "/".utf8), head.method != .connect { return "target" }
        for field in head.fields where field.value.unicodeScalars.contains(where: { $0.value < 32 && $0 != "\t" || $0.value == 127 }) {
            return "control byte in \(field.name)"
        }
        for name in names {
            let letters = String(name.unicodeScalars.filter { ("a"..."z").contains($0) })
            if ["contentlength", "transferencoding"].contains(letters), !["content-length", "transfer-encoding"].contains(name) {
                return "lookalike"
            }
        }
        return nil
    }
}
