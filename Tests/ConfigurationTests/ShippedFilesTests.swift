import Credentials
import Glibc
import Testing

@testable import Configuration

/// The files in `config/`, which users copy.
@Suite struct ShippedFilesTests {
    private func text(_ name: String) throws -> SettingsText {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/\(root)/config/\(name)"
        let file = try #require(fopen(path, "r"), "\(path)")
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return SettingsText(path: name, bytes: Array(bytes[..<count]))
    }

    @Test("keybearer.json5 loads, shows every member, and gives each its default")
    func settings() throws {
        let shipped = try Settings(file: text("keybearer.json5"))
        let defaults = try Settings()
        #expect(shipped.report.map(\.member) == defaults.report.map(\.member))
        for (line, other) in zip(shipped.report, defaults.report) {
            #expect(line.value == other.value, "\(line.member)")
            if !line.member.hasPrefix("providers.") { #expect(line.origin != .builtIn, "\(line.member) is not explained") }
        }
    }

    @Test("providers/example.json5 loads and says what its comments promise")
    func example() throws {
        let settings = try Settings(providerFiles: [text("providers/example.json5")])
        let example = try #require(settings.provider("example"))
        #expect(example.injection(for: .apiKey) == Injection(header: "x-example-key", prefix: "", billing: .metered))
        #expect(example.injection(for: .token) == nil)
        #expect(example.injection(for: .oauth)?.billing == .subscription)
        #expect(example.failover.meaning(ofCode: "plan_without_api") == .entitlement)
        #expect(example.oauth?.clientID == "example-public-client")
        #expect(settings.provider("example-local")?.needsCredential == false)
    }

    @Test("providers/example.json5 shows every member that a provider file may have")
    func exampleIsWhole() throws {
        let example = try String(decoding: text("providers/example.json5").bytes, as: UTF8.self)
        for member in ProviderText.members.keys.sorted() {
            let name = member.split(separator: ".").last.map(String.init) ?? member
            #expect(example.contains("\(name):"), "\(member)")
        }
    }

    @Test("The templates load as they are", arguments: ["oidc", "openai-compatible"])
    func templates(name: String) throws {
        let settings = try Settings(providerFiles: [text("providers/\(name).json5")])
        #expect(settings.provider(name)?.baseURL?.host == "llm.example.com")
    }

    @Test("A settings file that is cut off anywhere is an error with a place, and nothing worse")
    func cutOff() throws {
        let whole = try text("keybearer.json5")
        let end = try #require(whole.bytes.lastIndex(of: UInt8(ascii: "}")))
        for count in stride(from: 0, through: end, by: 13) {
            let cut = SettingsText(path: "cut", bytes: Array(whole.bytes[..<count]))
            do throws(SettingsError) {
                _ = try Settings(file: cut)
                Issue.record("\(count) bytes of \(end + 1) were accepted")
            } catch {
                #expect(error.problems.allSatisfy { $0.line != nil && $0.column != nil })
            }
        }
    }
}
