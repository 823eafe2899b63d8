import HTTP
import Testing

/// What a decoder made of a body that was handed in as pieces: its data, how many bytes it took (0 if malformed), and its end.
struct DecodedBody: Equatable {
    enum End: Equatable { case done, starved, malformed(Rejection) }
    var data: [UInt8] = []
    var trailers: [UInt8] = []
    var taken = 0
    var end = End.starved

    init(_ bytes: [UInt8], cutAt cuts: [Int] = []) {
        var decoder = ChunkDecoder()
        var start = 0
        for cut in cuts + [bytes.count] where end == .starved {
            read(Array(bytes[start..<cut]), &decoder)
            start = cut
        }
    }

    private mutating func read(_ piece: [UInt8], _ decoder: inout ChunkDecoder) {
        var at = 0
        while true {
            switch piece.withUnsafeBytes({ decoder.next($0, from: at) }) {
            case .data(let start, let count, let next):
                precondition(start == at || start > at && count > 0)
                data += piece[start..<start + count]
                at = next
            case .trailers(let start, let count, let next):
                trailers += piece[start..<start + count]
                at = next
            case .starved:
                taken += piece.count
                return
            case .done(let next):
                taken += next
                end = .done
                return
            case .malformed(let rejection):
                end = .malformed(rejection)
                trailers = []
                taken = 0
                return
            }
        }
    }
}

@Suite struct ChunkDecoderTests {
    static let valid: [(String, String, Int)] = [
        ("0\r\n\r\n", "", 0), ("5\r\nhello\r\n0\r\n\r\n", "hello", 0), ("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\nGET", "hello world", 3),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0), ("000000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0),
        ("2;a\r\n\r\n\r\n0;b=c\r\n\r\n", "\r\n", 0), ("1;a=b;c;d=\"e\\\"f;\u{e9}\t\"\r\nx\r\n0\r\n\r\n", "x", 0),
        ("1\r\nx\r\n0\r\nX-Sum: 1\r\nDate:\r\nContent-Type: a\r\nb:\t\u{e9} \r\n\r\n!", "x", 1),
    ]

    @Test(arguments: valid)
    func chunksAreJoinedWhereverTheyAreCut(encoded: String, data: String, rest: Int) {
        let bytes = latin1(encoded)
        let whole = DecodedBody(bytes)
        #expect(whole.end == .done)
        #expect(whole.data == latin1(data))
        #expect(whole.taken == bytes.count - rest)
        for first in 0...bytes.count {
            for second in first...bytes.count { #expect(DecodedBody(bytes, cutAt: [first, second]) == whole) }
        }
        #expect(DecodedBody(bytes, cutAt: Array(0..<bytes.count)) == whole)
    }

    static let malformed: [(String, Rejection)] = [
        ("\r\n", .malformedChunkSize), ("g\r\n", .malformedChunkSize), ("+5\r\n", .malformedChunkSize), ("-5\r\n", .malformedChunkSize),
        (" 5\r\n", .malformedChunkSize), ("5 \r\n", .malformedChunkSize), ("5\t\r\n", .malformedChunkSize),
        ("0x5\r\n", .malformedChunkSize),
        ("0_2e\r\n", .malformedChunkSize), ("5\u{00}\r\n", .malformedChunkSize), ("00000000000000005\r\n", .malformedChunkSize),
        ("ffffffffffffffff\r\n", .chunkTooLarge), ("8000000000000000\r\n", .chunkTooLarge), ("5\n", .bareLineFeed), ("\n", .bareLineFeed),
        ("5\rhello", .bareCarriageReturn), ("5\r\r\n", .bareCarriageReturn), ("5;\r\n", .malformedChunkExtension),
        ("5;a \r\n", .malformedChunkExtension), ("5; a\r\n", .malformedChunkExtension), ("5 ;a\r\n", .malformedChunkSize),
        ("5;a=\r\n", .malformedChunkExtension), ("5;=b\r\n", .malformedChunkExtension), ("5;a=b=c\r\n", .malformedChunkExtension),
        ("5;a=\"b\r\n", .malformedChunkExtension), ("5;a=\"b\\\r\n", .malformedChunkExtension),
        ("5;a=\"b\"c\r\n", .malformedChunkExtension),
        ("5;a\u{00}\r\n", .malformedChunkExtension), ("5;a\n", .bareLineFeed), ("5;a=\"\n", .bareLineFeed), ("5;a\rb", .bareCarriageReturn),
        ("5;a=\"\u{7f}\"\r\n", .malformedChunkExtension), ("1\r\nxy", .unterminatedChunk), ("1\r\nx\n", .unterminatedChunk),
        ("1\r\nx\rx", .unterminatedChunk), ("1\r\nx0\r\n\r\n", .unterminatedChunk), ("3\r\nfoo\r\n\r\n", .malformedChunkSize),
        ("0\r\nX\r\n", .missingColon), ("0\r\n X: y\r\n", .foldedLine), ("0\r\nX : y\r\n", .spaceBeforeColon),
        ("0\r\n: y\r\n", .emptyFieldName),
        ("0\r\nX(: y\r\n", .malformedFieldName), ("0\r\nX: y\n", .bareLineFeed), ("0\r\n\n", .bareLineFeed),
        ("0\r\nX: y\rz", .bareCarriageReturn),
        ("0\r\n\rX", .bareCarriageReturn), ("0\r\nX: y\u{00}\r\n", .controlByte), ("0\r\nX\u{01}: y\r\n", .controlByte),
        ("0\r\nX: y\r\n z\r\n\r\n", .foldedLine), ("0\r\nContent_Length: 1\r\n", .lookalikeField),
        ("0\r\n" + String(repeating: "n", count: 65) + ": x", .trailersTooLarge),
    ]

    @Test(arguments: malformed)
    func anythingElseIsMalformedWhereverItIsCut(encoded: String, rejection: Rejection) {
        let bytes = latin1(encoded)
        for cut in 0...bytes.count { #expect(DecodedBody(bytes, cutAt: [cut]).end == .malformed(rejection)) }
        #expect(DecodedBody(bytes, cutAt: Array(0..<bytes.count)).end == .malformed(rejection))
    }

    @Test(arguments: [
        "Content-Length", "transfer-encoding", "Host", "connection", "Trailer", "te", "upgrade", "expect", "Authorization", "x-api-key",
        "X-Goog-Api-Key",
        "api-key", "cookie", "set-cookie", "chatgpt-account-id", "keybearer-profile", "Keybearer_X", "x_api_key", "origin",
        "sec-fetch-site",
        "anthropic-beta", "anthropic-version", "access-control-allow-origin", "proxy-authorization",
    ])
    func aFieldThatOnlyAHeadMayHaveIsRefusedAsATrailer(name: String) {
        #expect(DecodedBody(latin1("0\r\nX: y\r\n\(name): 1\r\n\r\n")).end == .malformed(.forbiddenTrailer))
    }

    @Test func theLargestChunkThatFitsIsAnnounced() {
        var body = latin1("7fffffffffffffff\r\n")
        #expect(DecodedBody(body).end == .starved)
        body += latin1("abc")
        #expect(DecodedBody(body).data == latin1("abc"))
    }

    @Test func extensionsAndTrailersAreBoundedInAll() {
        let chunk = "1;" + String(repeating: "e", count: 100) + "\r\nx\r\n"
        #expect(DecodedBody(latin1(String(repeating: chunk, count: 40))).end == .starved)
        #expect(DecodedBody(latin1(String(repeating: chunk, count: 41))).end == .malformed(.chunkExtensionsTooLong))
        let line = "X-T: " + String(repeating: "t", count: 93) + "\r\n"
        #expect(DecodedBody(latin1("0\r\n" + String(repeating: line, count: 81) + "\r\n")).end == .done)
        #expect(DecodedBody(latin1("0\r\n" + String(repeating: line, count: 82))).end == .malformed(.trailersTooLarge))
    }

    @Test func aDecoderStaysWhereItEnded() {
        var decoder = ChunkDecoder()
        let body = latin1("0\r\n\r\nGET")
        #expect(!decoder.isDone)
        #expect(body.withUnsafeBytes { decoder.next($0) } == .done(next: 5))
        #expect(decoder.isDone)
        #expect(body.withUnsafeBytes { decoder.next($0, from: 5) } == .done(next: 5))
        var broken = ChunkDecoder()
        #expect(latin1("x").withUnsafeBytes { broken.next($0) } == .malformed(.malformedChunkSize))
        #expect(latin1("0\r\n\r\n").withUnsafeBytes { broken.next($0) } == .malformed(.malformedChunkSize))
    }
}
