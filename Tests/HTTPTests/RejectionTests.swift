import HTTP
import Testing

@Suite struct RejectionTests {
    @Test func everyRuleHasItsOwnWordAndSentence() {
        #expect(Set(Rejection.allCases.map { $0.code.description }).count == Rejection.allCases.count)
        #expect(Set(Rejection.allCases.map { $0.message.description }).count == Rejection.allCases.count)
        for rejection in Rejection.allCases {
            #expect(rejection.code.description.allSatisfy { $0.isLowercase || $0 == "_" || $0.isNumber })
            #expect(rejection.message.description.hasSuffix("."))
        }
    }

    @Test func everyStatusHasALine() {
        for rejection in Rejection.allCases {
            #expect(StatusLine.text(for: rejection.status).description.hasPrefix("HTTP/1.1 \(rejection.status) "))
        }
        #expect(StatusLine.text(for: 777).description == "HTTP/1.1 500 Internal Server Error\r\n")
    }

    @Test(arguments: [100, 200, 204, 400, 403, 404, 405, 408, 413, 414, 417, 421, 426, 429, 431, 500, 501, 502, 503, 504, 505])
    func ourOwnLinesAreWhatOurOwnParserTakes(status: Int) {
        let line = status == 100 ? StatusLine.continue.description : StatusLine.text(for: status).description + "\r\n"
        let head = response(line)
        #expect(head.status == status)
        #expect(!head.reason.isEmpty)
    }

    @Test func statusesFollowTheRFC() {
        let others: [(Rejection, Int)] = [
            (.methodTooLong, 501), (.unsupportedCoding, 501), (.unsupportedVersion, 505), (.targetTooLong, 414), (.headTooLarge, 431),
            (.tooManyFields, 431), (.fieldNameTooLong, 431), (.tooManyConnectionOptions, 431), (.trailersTooLarge, 431),
            (.unsupportedExpectation, 417),
        ]
        for rejection in Rejection.allCases {
            #expect(rejection.status == others.first { $0.0 == rejection }?.1 ?? 400)
        }
    }
}
