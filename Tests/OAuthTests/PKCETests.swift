import Credentials
import Testing

@testable import OAuth

@Suite struct PKCETests {
    @Test("The challenge is that of RFC 7636, appendix B")
    func vector() throws {
        let pkce = try #require(PKCE(verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
        #expect(pkce.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test("Every verifier is new, of the right length, and of unreserved characters")
    func fresh() {
        let verifiers = (0..<50).map { _ in PKCE().verifier.revealed }
        #expect(Set(verifiers).count == 50)
        for verifier in verifiers { #expect(PKCE(verifier: verifier) != nil) }
    }

    @Test(
        "A verifier has 43 to 128 unreserved characters",
        arguments: [
            (42, "a", false), (43, "a", true), (128, "~", true), (129, "a", false), (43, "+", false), (43, "=", false), (43, "é", false),
        ])
    func bounds(count: Int, character: String, isGood: Bool) {
        #expect((PKCE(verifier: String(repeating: character, count: count)) != nil) == isGood)
    }
}
