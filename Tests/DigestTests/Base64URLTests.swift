import Digest
import Testing

@Suite struct Base64URLTests {
    /// RFC 4648 §10 without padding, and the two letters in which the URL alphabet differs.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
    ])
    func encodesAndDecodesAsTheRFCSays(plain: String, encoded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(plain.utf8))
    }

    @Test func everyByteAtEveryPlaceSurvives() {
        for length in 0..<6 {
            for byte in UInt8.min ... .max {
                let bytes = [UInt8](repeating: byte, count: length)
                #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
            }
        }
        #expect(Base64URL.encode([0xFB, 0xFF, 0xBF]) == "-_-_")
    }

    @Test(arguments: [("Zg==", "f"), ("Zm8=", "fo")])
    func rightPaddingIsAccepted(encoded: String, plain: String) {
        #expect(Base64URL.decode(encoded) == Array(plain.utf8))
    }

    /// The alphabet of plain base 64, white space, impossible lengths, wrong padding, and bits after the last byte (RFC 4648 §3.5).
    @Test(arguments: ["+/+/", "Zg Zg", "Zg\n", "Z", "Zm9vY", "=", "==", "Zg=", "Zm9v=", "Zm9v====", "Z===", "Zh", "Zm9", "é"])
    func anythingElseIsRefused(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}

@Suite struct HexadecimalTests {
    @Test func encodesInLowerCaseAndDecodesBoth() {
        #expect(Hexadecimal.encode([0x00, 0x1F, 0xAB, 0xFF] as [UInt8]) == "001fabff")
        #expect(Hexadecimal.decode("001FabfF") == [0x00, 0x1F, 0xAB, 0xFF])
    }

    @Test(arguments: ["0", "0g", "0x", " 0", "００"])
    func anythingElseIsRefused(text: String) {
        #expect(Hexadecimal.decode(text) == nil)
    }
}
