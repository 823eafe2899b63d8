import Credentials
import JSON
import Testing

@testable import OAuth

@Suite struct TokenRequestTests {
    @Test func aFormEncodesAllButUnreservedCharacters() {
        let body = TokenRequest.form([("a b", "Az09-._~"), ("x", "&=+%é\u{0}")])
        #expect(String(decoding: body.bytes, as: UTF8.self) == "a%20b=Az09-._~&x=%26%3D%2B%25%C3%A9%00")
    }

    @Test(arguments: ["", "plain", "\"\\/", "\u{0}\u{1f}\n", "é😀"])
    func jsonIsReadBackAsItWas(text: String) throws {
        let body = TokenRequest.json([("name", text), (text, "value")])
        let object = try #require(try Reader.parse(body.bytes).object)
        #expect(object == ["name": .string(text), text: "value"])
    }

    @Test func theBodyNeverMovesWhileItIsMade() {
        // The capacity is for the worst case; a buffer that grew would have left a copy of the token behind.
        let worst = String(repeating: "\u{1}", count: 1000)
        for body in [TokenRequest.json([(worst, worst)]), TokenRequest.form([(worst, worst)])] {
            #expect(body.count <= 6 * 2000 + 8)
        }
    }
}
