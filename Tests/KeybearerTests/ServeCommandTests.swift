import ArgumentParser
import Glibc
import JSON
import Testing

@testable import keybearer

/// What `serve` says at its start.
@Suite struct ServeCommandTests {
    /// The library would derive one, by casts for which it searches every conformance of the program: at each start, for each command.
    @Test func `Every command says its name by itself`() {
        var nameless: [String] = []
        func look(_ command: any ParsableCommand.Type) {
            if command.configuration.commandName == nil { nameless.append("\(command)") }
            for part in command.configuration.subcommands { look(part) }
        }
        look(Keybearer.self)
        #expect(nameless == [])
    }

    @Test func `Tokens that are about to end are in the log, of every agent, louder as the end comes nearer`() throws {
        let scene = try ToolScene()
        let day: Int64 = 86_400_000
        let token: (String, Int64) -> String = { id, life in
            let end = Int64(time(nil)) * 1000 + life
            return "\"\(id)\":{\"type\":\"token\",\"provider\":\"anthropic\",\"token\":\"canary\",\"expires\":\(end)}"
        }
        try scene.store(token("anthropic:month", 29 * day), token("anthropic:week", 6 * day), token("anthropic:year", 300 * day))
        try scene.store(token("anthropic:day", day / 2), agent: "lab")
        let process = try scene.start(["serve"])
        try process.waitFor { $0.contains("anthropic:day") ? true : nil }
        let lines = try process.errors.split(separator: "\n").map { try Reader.parse(Array($0.utf8)) }
        let warnings = lines.compactMap { line -> String? in
            guard let message = line["message"]?.string, message.hasPrefix("the token ") else { return nil }
            return "\(line["level"]?.string ?? ""): \(message.prefix { $0 != ";" })"
        }
        #expect(
            warnings == [
                "notice: the token anthropic:month ends in 29 days", "warning: the token anthropic:week ends in 6 days",
                "warning: the token anthropic:day ends in 12 h and nothing renews it",
            ])
        #expect(!process.errors.contains("canary"))
        process.signal(SIGTERM)
        #expect(process.wait() == 0)
    }

    @Test func `A threshold that is passed while the server runs is told then, and once`() throws {
        let scene = try ToolScene()
        let end = Int64(time(nil)) * 1000 + 7 * 86_400_000 + 3000
        try scene.store(
            "\"anthropic:week\":{\"type\":\"token\",\"provider\":\"anthropic\",\"token\":\"canary\",\"expires\":\(end)}")
        let process = try scene.start(["serve"])
        // On one line: other warnings may come before.
        try process.waitFor { errors in
            errors.split(separator: "\n").contains { $0.contains("\"level\":\"warning\"") && $0.contains("anthropic:week") } ? true : nil
        }
        let lines = process.errors.split(separator: "\n").filter { $0.contains("the token anthropic:week ends in 7 days") }
        #expect(lines.count == 2 && lines[0].contains("\"notice\"") && lines[1].contains("\"warning\""), "\(process.errors)")
        process.signal(SIGTERM)
        #expect(process.wait() == 0)
    }
}
