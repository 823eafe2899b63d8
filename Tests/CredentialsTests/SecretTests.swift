import Testing

@testable import Credentials

@Suite struct SecretTests {
    @Test func aSecretIsNeverPrinted() throws {
        let secret = try #require(Secret("sk-canary-1234567890"))
        let profile = Profile(id: "p", provider: "p", kind: .oauth, secret: secret, refresh: secret)
        var dumped = ""
        dump(profile, to: &dumped)
        dump(secret, to: &dumped)
        for text in [String(describing: secret), String(reflecting: secret), "\(profile)", String(reflecting: profile), dumped] {
            #expect(!text.contains("canary"))
        }
        #expect("\(secret)" == "‹secret›")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test(arguments: ["", "a b", "a\r\nb", "a\nb", "a\0b", "a\u{7f}", "schlüssel", "\ta"])
    func textThatCannotGoIntoAHeaderIsNoSecret(text: String) {
        #expect(Secret(text) == nil)
    }

    @Test func aSecretGivesItsBytesOnlyWhenAsked() throws {
        let secret = try #require(Secret(bytes: [0x21, 0x41, 0x7e]))
        #expect(secret.count == 3)
        #expect(secret.revealed == "!A~")
        #expect(secret.withBytes { Array($0) } == [0x21, 0x41, 0x7e])
    }

    @Test func theFingerprintIsTheStartOfTheSHA256() throws {
        // printf 'abc' | sha256sum
        #expect(try #require(Secret("abc")).fingerprint == "ba7816bf8f01cfea")
    }

    @Test func secretsAreEqualWhenTheirBytesAre() {
        #expect(Secret("abc") == Secret("abc"))
        #expect(Secret("abc") != Secret("abd"))
        #expect(Secret("abc") != Secret("abcd"))
    }
}
