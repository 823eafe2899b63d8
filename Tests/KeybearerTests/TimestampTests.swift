import Testing

@testable import keybearer

@Suite struct TimestampTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (1_709_251_200_001, "2024-03-01T00:00:00.001Z"),
        (1_798_761_599_123, "2026-12-31T23:59:59.123Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func `A time is written in RFC 3339`(milliseconds: Int64, text: String) {
        #expect(Timestamp.rfc3339(milliseconds) == text)
    }

    @Test func `A time that cannot be written becomes the nearest that can`() {
        #expect(Timestamp.rfc3339(-1) == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp.rfc3339(.max) == "9999-12-31T23:59:59.999Z")
    }
}
