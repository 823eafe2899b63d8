import HTTP
import Testing

/// The corpus of ambiguous, malformed and valid requests that others wrote (`Corpus/README.md`), against the verdicts of the strict reference
/// parser in tools/smuggle.py.
@Suite struct CorpusTests {
    /// Requests that the reference parser admits, or waits for the rest of, and we refuse.
    static let stricter: [String: (Rejection, why: String)] = [
        "llhttp/content-length/Funky Content-Length with body": (.missingHost, "the gate needs a Host in HTTP/1.0 too"),
        "llhttp/method/CONNECT request with CAPS": (.missingHost, "the gate needs a Host in HTTP/1.0 too"),
        "llhttp/method/CONNECT with body": (.missingHost, "the gate needs a Host in HTTP/1.0 too"),
        "llhttp/uri/Underscore in hostname": (.missingHost, "the gate needs a Host in HTTP/1.0 too"),
        "llhttp/uri/Host terminated by a query string+host": (.targetForm, "an absolute form needs a path before its query"),
        "llhttp/uri/host:port terminated by a query string+host": (.targetForm, "an absolute form needs a path before its query"),
        "llhttp/uri/host:port terminated by a space+host": (.authorityMismatch, "target and Host must agree"),
        "llhttp/uri/host:port and basic auth+host": (.targetUserinfo, "user information is a phishing device (RFC 9110 §4.2.4)"),
        "llhttp/transfer-encoding/No extension after semicolon": (.malformedChunkExtension, "the grammar wants a name"),
        "llhttp/transfer-encoding/Unbalanced chunk extensions quoting+host": (.malformedChunkExtension, "seen at the line's end"),
        "llhttp/content-length/Error on Content-Length overflow": (.malformedLength, "seen before the head is complete"),
        "llhttp/content-length/Error on duplicate Content-Length": (.repeatedLength, "seen before the head is complete"),
        "llhttp/content-length/Missing CRLF-CRLF before body": (.bareCarriageReturn, "seen before the line is complete"),
    ]

    @Test func theWholeCorpusIsThere() {
        #expect(CorpusCase.all.count == 351)
        // Two names are used twice; none of them is an exception.
        #expect(Set(CorpusCase.all.map(\.name)).count == 349)
        #expect(Self.stricter.keys.allSatisfy { name in CorpusCase.all.filter { $0.name == name }.count == 1 })
        #expect(
            CorpusCase.all.allSatisfy { !$0.bytes.isEmpty && ["ok", "bad", "incomplete"].contains($0.strict) && $0.strictRequests >= 0 })
    }

    @Test(arguments: CorpusCase.all)
    func aRequestThatAStrictParserRefusesIsNeverAdmitted(item: CorpusCase) {
        let ours = Conversation(item.bytes)
        if let (rejection, _) = Self.stricter[item.name] {
            #expect(ours.end == .rejected(rejection))
            #expect(item.strict != "bad", "the exception is not needed")
            return
        }
        switch item.strict {
        case "ok":
            #expect(ours.end == .complete)
            #expect(ours.targets.count == item.strictRequests)
        case "incomplete":
            #expect(ours.end == .incomplete)
        default:
            if case .rejected = ours.end {} else { Issue.record("\(ours.end)") }
        }
    }

    @Test(arguments: CorpusCase.all)
    func aRequestMeansTheSameWhereverItIsCut(item: CorpusCase) {
        let whole = Conversation(item.bytes)
        for cut in 0...item.bytes.count {
            if Conversation(item.bytes, cutAt: [cut]) != whole { Issue.record("cut at \(cut)") }
        }
        #expect(Conversation(item.bytes, cutAt: Array(0..<item.bytes.count)) == whole)
    }
}
