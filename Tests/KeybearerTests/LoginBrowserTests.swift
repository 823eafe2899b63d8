import Testing

@testable import keybearer

@Suite struct LoginBrowserTests {
    private static let others = [["xdg-open", "u"], ["sensible-browser", "u"], ["wslview", "u"]]

    @Test(
        arguments: [
            (nil, []), ("", []), ("firefox", [["firefox", "u"]]), ("firefox:w3m", [["firefox", "u"], ["w3m", "u"]]),
            ("firefox --new-window %s", [["firefox", "--new-window", "u"]]), ("open -u=%s -x", [["open", "-u=u", "-x"]]), (":", []),
            (" ", []),
        ] as [(String?, [[String]])])
    func `The person's own browser goes first, through no shell`(browser: String?, first: [[String]]) {
        #expect(LoginBrowser.commands("u", browser: browser) == first + Self.others)
    }
}
