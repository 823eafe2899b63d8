import JSON
import Testing

@testable import Tools

/// Files with comments, as opencode and Zed read them.
@Suite struct JSONMembersTests {
    private static let paths = [["provider", "a", "options", "url"], ["provider", "a", "options", "key"], ["provider", "b", "url"]]
    private let members = JSONMembers(paths: paths, grammar: .withComments, isOurs: { $0.string(at: paths[1]) == "ours" })
    private let ours = [
        JSONMembers.Member(path: paths[0], value: "http://127.0.0.1:5392/a"), JSONMembers.Member(path: paths[1], value: "ours"),
        JSONMembers.Member(path: paths[2], value: "http://127.0.0.1:5392/b"),
    ]

    private static func generated(_ seed: Int) -> String {
        var dice = Dice(seed)
        let line = dice.one(["\n", "\r\n"])
        let comment = { (dice: inout Dice) in dice.one(["", "", "// { \"x\": [ '", "/* \" } ] */", "// https://x"]) }
        func object(_ members: [String], _ dice: inout Dice) -> String {
            guard !members.isEmpty else { return dice.one(["{}", "{ }", "{\(line)// nothing\(line)}"]) }
            var text = "{" + line
            for (index, member) in members.enumerated() {
                text +=
                    "  \(comment(&dice))\(line)  \(member)\(index + 1 < members.count ? "," : dice.one(["", ","])) \(comment(&dice))\(line)"
            }
            return text + "}"
        }
        var options: [String] = []
        if dice.chance(50) { options.append("\"timeout\" /* ms */ : 1e5") }
        if dice.chance(40) { options.append("\"url\": \"https://user's/{own}\"") }
        if dice.chance(20) { options.append("\"key\": \"user's\"") }
        var providers: [String] = []
        if dice.chance(60) {
            providers.append("\"a\": " + object(dice.chance(70) ? ["\"options\": " + object(options, &dice)] : [], &dice))
        }
        if dice.chance(40) { providers.append("\"c\": {}") }
        var root = dice.chance(50) ? ["\"theme\": \"dark // no comment\""] : []
        if dice.chance(70) { root.append("\"provider\": " + object(providers, &dice)) }
        if dice.chance(40) { root.append("\"keys\": [1, [true, null], {\"p\": \"]\"},]") }
        return dice.one(["", "// settings\(line)", "/* { */ "]) + object(root, &dice) + dice.one(["", line, line + "// end"])
    }

    @Test(arguments: 1...200)
    func `What is put in is taken out to the byte, and all else is as it was`(seed: Int) throws {
        let original = Array(Self.generated(seed).utf8)
        let installed = try members.installed(ours, in: original)
        let text = try JSONText(installed, .withComments)
        for member in ours { #expect(text.string(at: member.path) == member.value, "\(String(decoding: installed, as: UTF8.self))") }
        #expect(try members.removed(from: installed, kept: original) == original)
        #expect(try members.installed(ours, in: installed) == installed, "twice is once")
        // Somebody has written at the end since: ours go one by one, and nothing else with them.
        let root = try JSON5Reader.parse(original).plain.object
        let rest = try #require(try members.removed(from: installed + Array("\n// since\n".utf8), kept: original))
        #expect(rest.suffix(9).elementsEqual("// since\n".utf8))
        let after = try JSON5Reader.parse(rest).plain.object
        #expect(after?["theme"] == root?["theme"] && after?["keys"] == root?["keys"])
        let left = try JSONText(rest, .withComments)
        let before = try JSONText(original, .withComments)
        for member in ours { #expect(left.string(at: member.path) == before.string(at: member.path)) }
        #expect(left.value(at: ["provider"]) == nil || before.value(at: ["provider"]) != nil)
        for comment in ["// nothing", "// https://x", "// end"] {
            let count = { (bytes: [UInt8]) in String(decoding: bytes, as: UTF8.self).components(of: comment) }
            #expect(count(installed) == count(original), "\(comment)")
        }
    }

    @Test(arguments: [
        "{ 'a': 1 }", "{ a: 1 }", "{ \"a\": 'x' }", "{ \"a\": Infinity }", "[]", "{ \"a\": 1, \"a\": 2 }", "{ /* open",
        "{ \"provider\": 3 }",
    ])
    func `What is no JSON with comments is left alone`(text: String) {
        #expect(throws: ToolSettingsError.self) { try members.installed(ours, in: Array(text.utf8)) }
    }

    @Test func `Numbers and words of every form are read`() throws {
        let text = "{ \"a\": -1.5E+10, \"b\": [true,false,null], \"c\": 0 }"
        #expect(try members.installed(ours, in: Array(text.utf8)).count > text.utf8.count)
    }
}

extension String {
    /// How often `part` is in it.
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
