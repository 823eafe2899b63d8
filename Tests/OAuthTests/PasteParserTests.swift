import Testing

@testable import OAuth

@Suite struct PasteParserTests {
    typealias Answer = AuthorizationAnswer

    @Test(
        "What people paste is understood",
        arguments: [
            ("http://localhost:1455/auth/callback?code=ac_12345678&state=st", Answer(code: "ac_12345678", state: "st")),
            ("  http://localhost:1455/auth/callback?state=st&code=ac_12345678&scope=openid  ", Answer(code: "ac_12345678", state: "st")),
            ("\"http://localhost:1455/auth/callback?code=ac_12345678&state=st\"", Answer(code: "ac_12345678", state: "st")),
            ("<https://console.example/cb?code=a%2Fb&state=s%20t>", Answer(code: "a/b", state: "s t")),
            ("https://console.example/cb#code=abc&state=st", Answer(code: "abc", state: "st")),
            ("https://console.example/cb?lang=en#code=abc&state=st", Answer(code: "abc", state: "st")),
            ("http://localhost:1455/auth/callback?error=access_denied&state=st", Answer(state: "st", error: "access_denied")),
            ("ac_12345678#the-state", Answer(code: "ac_12345678", state: "the-state")),
            ("code=ac_12345678&state=st", Answer(code: "ac_12345678", state: "st")),
            ("?code=abc&state=st", Answer(code: "abc", state: "st")),
            ("state=st&code=abc", Answer(code: "abc", state: "st")), ("ac_12345678", Answer(code: "ac_12345678")),
            ("4/0AX4XfWh_abc-def.ghi~", Answer(code: "4/0AX4XfWh_abc-def.ghi~")), ("ac_12345678==\r\n", Answer(code: "ac_12345678==")),
            ("`ac_12345678`", Answer(code: "ac_12345678")),
        ])
    func understood(line: String, answer: Answer) {
        #expect(PasteParser.read(line) == .answer(answer))
    }

    @Test(
        "What is no answer is told apart",
        arguments: [
            ("", .empty), (" \t\r\n", .empty), ("\"\"", .empty),
            ("https://auth.openai.com/oauth/authorize?response_type=code&code_challenge=x&state=s", .requestAddress),
            ("http://localhost:1455/auth/callback", .withoutCode), ("http://localhost:1455/auth/callback?state=s", .withoutCode),
            ("http://localhost:1455/auth/callback?code=&state=s", .withoutCode), ("https://chatgpt.com/", .withoutCode),
            ("http://localhost:1455/auth/callback?code=a&code=b", .unreadable), ("http://localhost/?code=%zz", .unreadable),
            ("y", .unreadable), ("yes", .unreadable), ("no thank you, really", .unreadable), ("#state-only", .unreadable),
            ("short#state", .unreadable), ("ac_12345678#", .unreadable), ("ac_12345678#a#b", .unreadable),
            ("ac_1234\u{7}5678", .unreadable),
            ("códe-with-accents", .unreadable), ("://nothing", .unreadable), (String(repeating: "a", count: 9000), .unreadable),
        ] as [(String, PasteParser.Reading)])
    func notAnAnswer(line: String, reading: PasteParser.Reading) {
        #expect(PasteParser.read(line) == reading)
    }

    @Test("Whatever is pasted is answered")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "code=", "state=", "&", "#", "?", "://", "http", "%", "%4", "=", "abc", "é", "\u{0}", " ", "error=", "code_challenge=",
        ]
        for _ in 0..<5000 {
            let line = (0..<Int.random(in: 0...9, using: &generator)).map { _ in pieces.randomElement(using: &generator)! }.joined()
            if case .answer(let answer) = PasteParser.read(line) { #expect(answer.saysSomething) }
        }
    }
}
