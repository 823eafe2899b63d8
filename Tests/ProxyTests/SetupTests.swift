import HTTP
import Testing

@testable import Configuration
@testable import Proxy

@Suite struct SetupTests {
    private func settings(_ text: String) throws -> Settings {
        try Settings(file: SettingsText(path: "test", bytes: Array(text.utf8)))
    }

    /// What can be held of a head is HTTP's to know; settings that said more would be lowered without a word.
    @Test(
        "The least and the most that settings may say of a head is what holds",
        arguments: [(4 << 10, 16), (64 << 10, 128)])
    func headLimitsHold(bytes: Int, fields: Int) throws {
        let limits = Setup(try settings("{ limits: { headBytes: \(bytes), headFields: \(fields) } }")).headLimits
        #expect(limits.byteCount == bytes)
        #expect(limits.fieldCount == fields)
    }

    @Test("More than can be held is refused", arguments: ["headBytes: 65537", "headFields: 129"])
    func moreIsRefused(member: String) {
        #expect(throws: SettingsError.self) { try settings("{ limits: { \(member) } }") }
    }
}
