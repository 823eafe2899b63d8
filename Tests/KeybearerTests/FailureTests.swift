import ArgumentParser
import Testing

@testable import keybearer

@Suite struct FailureTests {
    @Test(arguments: [
        (["serv"], "Unexpected argument 'serv'"), (["serve", "--bogus"], "Unknown option '--bogus'"),
        (["serve", "--workers", "many"], "'many' is invalid for '--workers"),
        (["models", "auth", "paste-token"], "Missing expected argument '--provider"),
        (["models", "auth", "order", "set", "--provider", "openai"], "Missing expected argument"),
        (["models", "auth", "paste-token", "--provider", "x", "--expires-in", "soon"], "it is a number with ms, s, m, h or d"),
        (["sandbox", "--lifetime", "0"], "above 0"), (["demo", "--state-dir", "/tmp"], "temporary state of its own"),
    ])
    func `A wrong use is told in one line, and one that says where help is`(arguments: [String], part: String) throws {
        let error = try #require(throws: (any Error).self) {
            var command = try Keybearer.parseAsRoot(arguments)
            try command.run()
        }
        #expect(Keybearer.exitCode(for: error).rawValue == 64)
        let text = WrongUse(
            message: Keybearer.message(for: error), fullMessage: Keybearer.fullMessage(for: error), words: arguments
        ).text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 2)
        #expect(lines.first?.contains(part) == true, "\(text)")
        #expect(lines.last?.hasPrefix("See 'keybearer ") == true, "\(text)")
    }
}
