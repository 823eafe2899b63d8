import Testing

@testable import Credentials

@Suite struct InstantTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_001, "2000-02-29T00:00:00.001Z"), (1_772_282_096_789, "2026-02-28T12:34:56.789Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func anInstantIsWrittenAndReadAsJavaScriptDoes(milliseconds: Int64, text: String) {
        #expect(InstantText.of(milliseconds) == text)
        #expect(InstantText.milliseconds(text) == milliseconds)
    }

    @Test(
        arguments: [
            ("2026-02-28T12:34:56Z", 1_772_282_096_000), ("2026-02-28T12:34:56.5Z", 1_772_282_096_500),
            ("2026-02-28T12:34:56.789123Z", 1_772_282_096_789), ("2026-02-28T12:34:56.Z", nil), ("2026-13-28T12:34:56.789Z", nil),
            ("2026-02-28 12:34:56.789Z", nil), ("2026-02-28T12:34:56.789", nil), ("", nil), ("yesterday", nil),
        ] as [(String, Int64?)])
    func otherTextsAreReadIfTheyNameAnInstant(text: String, milliseconds: Int64?) {
        #expect(InstantText.milliseconds(text) == milliseconds)
    }
}
