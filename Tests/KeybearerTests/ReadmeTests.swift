import Configuration
import JSON
import Testing

@testable import Proxy

/// README.md says what the code does.
@Suite struct ReadmeTests {
    private let readme: String

    init() {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        readme = Text.read(root + "/README.md")
    }

    @Test func `It lists every setting with its default`() throws {
        for line in try Settings(file: nil).report where !line.member.hasPrefix("providers.") {
            let value = String(decoding: Writer.compact(line.value), as: UTF8.self)
            #expect(readme.contains("\n| `\(line.member)` | `\(value)` | "), "\(line.member): \(value)")
        }
    }

    @Test func `It counts the built-in providers`() throws {
        #expect(readme.contains("\n| `providers` | \(try Settings(file: nil).providers.count) built in |"))
    }

    @Test(arguments: RefusalCode.allCases)
    func `It lists every error code with its status`(code: RefusalCode) {
        #expect(readme.contains("\n| `\(code.rawValue)` | \(code.status) | "))
    }

    @Test func `It lists no error code that there is not`() {
        let codes = readme.split(separator: "\n").filter { $0.hasPrefix("| `") && $0.contains(/^\| `[a-z_]+` \| \d{3} \|/) }
        #expect(codes.count == RefusalCode.allCases.count)
    }
}
