import JSON
import Logging
import Testing

@testable import keybearer

@Suite struct LogLineTests {
    private let hostile = "quoted \u{1b}[31m\nsecond\r\u{85}line \u{2028}\u{7f}\"end\""

    @Test func `A text line says when, how serious, and what`() {
        let line = LogLine.text(time: 0, level: .warning, message: "it is late", metadata: ["b": "2", "a": "1"])
        #expect(line == "1970-01-01T00:00:00.000Z warning: it is late a=1 b=2\n")
    }

    @Test func `A text line stays one line, and sends a terminal no commands`() {
        let line = LogLine.text(time: 0, level: .info, message: hostile, metadata: ["key": "a\nb"])
        #expect(line.utf8.count { $0 == 0x0a } == 1 && line.hasSuffix("\n"))
        #expect(
            line.dropLast().unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && $0.value != 0x85 && $0.value != 0x2028 })
        #expect(line.contains("\\u{1b}[31m\\u{a}second"))
    }

    @Test func `A JSON line is one object that keeps the message as it is`() throws {
        let line = LogLine.json(time: 1, level: .error, message: hostile, metadata: ["id": "x"])
        #expect(line.utf8.count { $0 == 0x0a } == 1 && line.hasSuffix("\n"))
        let value = try Reader.parse(Array(line.dropLast().utf8))
        #expect(value["time"]?.string == "1970-01-01T00:00:00.001Z")
        #expect(value["level"]?.string == "error")
        #expect(value["message"]?.string == hostile)
        #expect(value["metadata"]?["id"]?.string == "x")
    }

    @Test func `A JSON line without metadata has no member for it`() throws {
        let line = LogLine.json(time: 1, level: .info, message: "m", metadata: [:])
        #expect(try Reader.parse(Array(line.dropLast().utf8)).object?.names == ["time", "level", "message"])
    }
}
