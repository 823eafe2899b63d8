import Glibc
import JSON
import Testing

@testable import Credentials

/// Client keys: how they look, and how they are kept.
@Suite struct ClientBookTests {
    private static func key(_ name: String, _ shape: ClientKeyText.Shape = .plain) -> ClientKey {
        ClientKey(id: "", name: name, code: [], shape: shape, createdAt: 7)
    }

    @Test(arguments: ClientKeyText.Shape.allCases)
    func aKeyLooksAsItsToolExpectsAndIsReadAgain(shape: ClientKeyText.Shape) {
        var book = ClientBook()
        var texts: Set<String> = []
        for number in 0..<20 {
            let (key, text) = book.add(Self.key("k\(number)", shape), now: 1)
            texts.insert(text)
            let bytes = Array(text.utf8)
            let parts = ClientKeyText.parts(of: bytes.span)
            #expect(parts?.id == ClientKeyText.number(of: key.id))
            switch shape {
            case .plain: #expect(text.hasPrefix("kb_\(key.id)_") && text.utf8.count == 54)
            case .anthropic: #expect(text.hasPrefix("sk-ant-api03-kb_") && text.hasSuffix("AA") && text.utf8.count == 108)
            case .openai: #expect(text.hasPrefix("sk-proj-kb_"))
            case .google: #expect(text.hasPrefix("AIzakb_") && text.utf8.count == 39)
            }
            #expect(text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || $0 == 0x2d || $0 == 0x5f })
        }
        #expect(texts.count == 20)
    }

    @Test(arguments: [
        "", "kb_", "kb_dummy", "keybearer-placeholder", "sk-ant-api03-abcdefghijkmnpqrstuvwxyz23456789abcdefghijkmnpqr",
        "kb_aaaaaaaaaa_short", "kb_aaaaaaaaal_ABCDEFGHIJKLMNOPQRSTU", "kb_AAAAAAAAAA_ABCDEFGHIJKLMNOPQRSTU",
        "kb_aaaaaaaaaa_ABCDEFGHIJKLMNOPQRST_", "kb_aaaaaaaaa_ABCDEFGHIJKLMNOPQRSTUV", "KB_aaaaaaaaaa_ABCDEFGHIJKLMNOPQRSTU",
        " kb_aaaaaaaaaa_ABCDEFGHIJKLMNOPQRSTU", "kb_aaaaaaaaaa-ABCDEFGHIJKLMNOPQRSTU",
        "kb_aaaaaaaaaa_" + String(repeating: "A", count: 129),
    ])
    func whatIsNoClientKeyIsNone(text: String) {
        let bytes = Array(text.utf8)
        #expect(ClientKeyText.parts(of: bytes.span) == nil)
    }

    @Test func everyIDHasANumberOfItsOwn() {
        let alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
        let numbers = alphabet.map { ClientKeyText.number(of: "aaaaaaaaa\($0)") }
        #expect(Set(numbers).count == 32 && !numbers.contains(nil))
        #expect(ClientKeyText.number(of: "aaaaaaaaao") == nil && ClientKeyText.number(of: "aaaaaaaaa") == nil)
    }

    @Test func theFileKeepsTheCodeAndNotTheKeyAndIsPrivate() throws {
        let sink = TemporarySink()
        let path = sink.path + "/clients.json"
        let (book, text) = try ClientBook.change(path) { book in
            var policy = Self.key("ci")
            policy.agent = "lab"
            (policy.providers, policy.profiles, policy.models) = (["openai"], ["openai:a"], ["gpt-5*"])
            policy.rate = ClientKey.Rate("60/min")
            policy.budgetTokens = 1000
            policy.expiresAt = 99
            book.origins = ["app://x.test"]
            return book.add(policy, now: 5).text
        }
        let file = try #require(sink.read(path))
        #expect(!file.contains(text) && !file.contains(text.suffix(20)))
        var info = stat()
        #expect(stat(path, &info) == 0 && info.st_mode & 0o777 == 0o600)
        let read = try ClientBook.read(path)
        #expect(read.keys == book.keys && read.origins == book.origins && read.digest == book.digest)
        #expect(read.keys[0].rate?.description == "60/min" && read.keys[0].agent == "lab")
        // A member of somebody else's stays.
        sink.write(file.replacing("\"version\": 1", with: "\"version\": 1, \"note\": \"kept\""), to: path)
        _ = try ClientBook.change(path) { $0.origins = [] }
        #expect(try #require(sink.read(path)).contains("\"note\": \"kept\""))
    }

    @Test func aNewSecretKeepsIDAndPolicy() {
        var book = ClientBook()
        let (key, text) = book.add(Self.key("ci"), now: 1)
        let second = book.rotate(key.id) ?? ""
        #expect(second != text && second.prefix(14) == text.prefix(14))
        #expect(book.keys[0].code != key.code && book.keys[0].name == "ci")
        #expect(book.rotate("nothing") == nil)
        #expect(book.remove(key.id) && !book.remove(key.id) && book.key("ci") == nil)
    }

    /// A limit that this version does not know must not be passed over.
    @Test(arguments: [
        ("\"name\"", "\"nam\""), ("\"createdAt\": 1", "\"createdAt\": 1, \"limit\": 3"), ("\"shape\": \"plain\"", "\"shape\": \"square\""),
        ("\"createdAt\": 1", "\"createdAt\": 1, \"models\": \"gpt\""), ("\"createdAt\": 1", "\"createdAt\": 1, \"providers\": [1]"),
        ("\"createdAt\": 1", "\"createdAt\": 1, \"rate\": \"fast\""), ("\"createdAt\": 1", "\"createdAt\": 1, \"expiresAt\": \"soon\""),
        ("\"createdAt\": 1", "\"createdAt\": 1, \"budgetTokens\": -1"), ("\"version\": 1", "\"version\": 2"),
        ("\"salt\": \"", "\"salt\": \"x"),
    ])
    func aFileThatCannotBeUnderstoodIsNotUsed(part: String, change: String) throws {
        let sink = TemporarySink()
        let path = sink.path + "/clients.json"
        _ = try ClientBook.change(path) { _ = $0.add(Self.key("ci"), now: 1) }
        let file = try #require(sink.read(path))
        #expect(file.contains(part))
        sink.write(file.replacing(part, with: change), to: path)
        #expect(throws: ClientBookError.self) { try ClientBook.read(path) }
    }

    @Test(arguments: [
        ("60", 60, 60), ("60/min", 60, 60), ("5/s", 5, 1), ("1000/h", 1000, 3600), ("7/day", 7, 86_400),
    ])
    func rates(text: String, count: Int, seconds: Int) { #expect(ClientKey.Rate(text) == ClientKey.Rate(count: count, seconds: seconds)) }

    @Test(arguments: ["", "0", "-1", "x", "5/", "5/year", "1.5/s", "5/s/s"])
    func whatIsNoRateIsNone(text: String) { #expect(ClientKey.Rate(text) == nil) }
}
