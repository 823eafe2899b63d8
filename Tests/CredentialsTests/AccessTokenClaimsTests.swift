import Digest
import Testing

@testable import Credentials

@Suite struct AccessTokenClaimsTests {
    static func jwt(_ payload: String) -> String {
        "eyJhbGciOiJSUzI1NiJ9." + Base64URL.encode(Array(payload.utf8)) + ".c2ln"
    }

    @Test func theClaimsOfACodexTokenAreRead() throws {
        // The subject needs `-` and `_` in base64url, which plain base64 refuses.
        let claims = try #require(
            AccessTokenClaims(
                jwt: Self.jwt(
                    #"{"exp":1700000000.5,"sub":"a>?~ÿ","https://api.openai.com/auth":{"chatgpt_account_id":"acc"},"#
                        + #""https://api.openai.com/profile":{"email":"me@example.com"}}"#)))
        #expect(claims.expiry == 1_700_000_000_500)
        #expect(claims.subject == "a>?~ÿ")
        #expect(claims.accountID == "acc")
        #expect(claims.email == "me@example.com")
    }

    @Test(
        arguments: [
            (
                #"{"sub":"s","iss":"i","https://api.openai.com/auth":{"user_id":"u3","chatgpt_user_id":"u2","chatgpt_account_user_id":"u1"}}"#,
                "u1"
            ),
            (#"{"sub":"s","iss":"i","https://api.openai.com/auth":{"user_id":"u3","chatgpt_user_id":"u2"}}"#, "u2"),
            (#"{"sub":"s","iss":"i","https://api.openai.com/auth":{"user_id":"u3"}}"#, "u3"), (#"{"sub":"s","iss":"i"}"#, "i|s"),
            (#"{"sub":"s","iss":7}"#, "s"), (#"{"iss":"i"}"#, nil),
        ] as [(String, String?)])
    func theStableSubjectIsTheFirstThatThereIs(payload: String, subject: String?) throws {
        #expect(try #require(AccessTokenClaims(jwt: Self.jwt(payload))).stableSubject == subject)
    }

    @Test func anIdTokensOwnEMailCountsWhereOpenAIsClaimIsAbsent() throws {
        #expect(AccessTokenClaims(jwt: Self.jwt(#"{"email":"a@x.example"}"#))?.email == "a@x.example")
        let both = #"{"email":"a@x.example","https://api.openai.com/profile":{"email":"b@x.example"}}"#
        #expect(AccessTokenClaims(jwt: Self.jwt(both))?.email == "b@x.example")
    }

    @Test(arguments: ["", "a", "a.b", "a.b.c.d", "e30.!!!!.x", "e30.e30=e30.x", jwt("[]"), jwt("{"), jwt("7")])
    func whatIsNoJWTHasNoClaims(token: String) {
        #expect(AccessTokenClaims(jwt: token) == nil)
    }

    @Test(arguments: [
        #"{}"#, #"{"exp":"1","sub":7,"https://api.openai.com/auth":{"chatgpt_account_id":1}}"#,
        #"{"exp":-1,"https://api.openai.com/auth":"x"}"#,
        #"{"exp":1e300,"sub":"","https://api.openai.com/auth":{"chatgpt_account_id":""}}"#,
    ])
    func claimsOfAnotherShapeAreNone(payload: String) throws {
        let claims = try #require(AccessTokenClaims(jwt: Self.jwt(payload)))
        #expect(claims.expiry == nil)
        #expect(claims.accountID == nil)
        #expect(claims.subject == nil)
    }
}
