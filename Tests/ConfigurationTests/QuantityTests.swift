import Testing

@testable import Configuration

@Suite struct QuantityTests {
    @Test(
        "Durations are read exactly",
        arguments: [
            ("15s", 15_000), ("250ms", 250), ("5m", 300_000), ("1h", 3_600_000), ("15", 15_000), ("1.5s", 1500), ("0.1", 100), ("0s", 0),
            ("1.5m", 90_000), ("0.001s", 1),
        ])
    func durations(text: String, milliseconds: Int) {
        #expect(Quantity.parseDuration(text[...]) == .milliseconds(milliseconds))
    }

    @Test(
        "What is no duration is refused",
        arguments: [
            "", "s", "ms", "-1s", "+1s", "1 s", " 1s", "1S", "1d", "1.s", ".5s", "1.5ms", "0.0001s", "1e3", "1.2.3s", "0x10", "٣s",
            "99999999999999s",
        ])
    func noDurations(text: String) {
        #expect(Quantity.parseDuration(text[...]) == nil)
    }

    @Test(
        "Sizes are read in octets",
        arguments: [
            ("64KiB", 65536), ("32MiB", 33_554_432), ("1GiB", 1_073_741_824), ("512B", 512), ("512", 512), ("1.5KiB", 1536), ("0", 0),
        ])
    func sizes(text: String, octets: Int) {
        #expect(Quantity.parseSize(text[...]) == octets)
    }

    @Test(
        "What is no size is refused",
        arguments: ["", "KiB", "64KB", "64kib", "64 KiB", "-1", "1.1B", "0.0001KiB", "999999999999GiB", "1e6"])
    func noSizes(text: String) {
        #expect(Quantity.parseSize(text[...]) == nil)
    }

    @Test("What is printed is read back as the same", arguments: [0, 1, 250, 1000, 1500, 60_000, 90_000, 3_600_000])
    func roundTrip(milliseconds: Int) {
        let text = Quantity.duration(.milliseconds(milliseconds))
        #expect(Quantity.parseDuration(text[...]) == .milliseconds(milliseconds))
        #expect(Quantity.parseSize(Quantity.size(milliseconds)[...]) == milliseconds)
    }

    @Test(
        "The largest unit that fits is printed",
        arguments: [(60_000, "1m"), (15_000, "15s"), (1500, "1500ms"), (0, "0s"), (7_200_000, "2h")])
    func units(milliseconds: Int, expected: String) {
        #expect(Quantity.duration(.milliseconds(milliseconds)) == expected)
    }
}
