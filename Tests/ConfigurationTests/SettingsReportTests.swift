import JSON
import Testing

@testable import Configuration

@Suite struct SettingsReportTests {
    private func report(_ text: String) throws -> [SettingsReportLine] {
        try Settings(file: SettingsText(path: "k.json5", bytes: Array(text.utf8))).report
    }

    @Test("Every member is there once, with its value and where it comes from")
    func lines() throws {
        let lines = try report("{\n  timeouts: { head: 20 },\n  providers: { openai: { headers: { a: \"b\" } } },\n  workers: null }")
        #expect(Set(lines.map(\.member)).count == lines.count)
        let line = { (member: String) in lines.first { $0.member == member } }
        #expect(line("listen") == SettingsReportLine(member: "listen", value: ["127.0.0.1:5392", "[::1]:5392"], origin: .builtIn))
        #expect(line("timeouts.head") == SettingsReportLine(member: "timeouts.head", value: "20s", origin: .file(path: "k.json5", line: 2)))
        #expect(line("timeouts.drain") == SettingsReportLine(member: "timeouts.drain", value: "30s", origin: .builtIn))
        #expect(line("workers")?.value == .null)
        #expect(line("workers")?.origin.description == "k.json5:4")
        #expect(line("providers.openai.headers")?.value == ["a": "b"])
        #expect(line("providers.openai.headers")?.origin == .file(path: "k.json5", line: 3))
        #expect(line("providers.openai.baseURL")?.origin == .builtIn)
        #expect(line("providers.anthropic.auth.oauth.merge")?.value == ["anthropic-beta": "oauth-2025-04-20"])
        #expect(line("providers.openai-codex.auth.api_key.header") == nil)
    }

    private static func setting(_ value: Value, at path: ArraySlice<String>, in object: Object) -> Object {
        guard let name = path.first else { return object }
        var object = object
        object[name] = path.count == 1 ? value : .object(setting(value, at: path.dropFirst(), in: object[name]?.object ?? [:]))
        return object
    }

    @Test("What it shows of a provider can be written back and means the same")
    func roundTrip() throws {
        var document = Object()
        for line in try Settings().report where !line.member.hasPrefix("providers.") {
            let path = line.member.split(separator: ".").map(String.init)
            document = Self.setting(line.value, at: path[...], in: document)
        }
        let again = try report(String(decoding: Writer.compact(.object(document)), as: UTF8.self))
        let defaults = try Settings().report
        #expect(again.map(\.value) == defaults.map(\.value))
        #expect(again.filter { !$0.member.hasPrefix("providers.") }.allSatisfy { $0.origin != .builtIn })
    }
}
