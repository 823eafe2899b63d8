import Credentials
import OAuth
import Testing

@testable import keybearer

@Suite struct LoginInstructionsTests {
    private static let redirect = LoopbackRedirect("http://localhost:1455/auth/callback")!

    private static func text(_ environment: [String: String], opened: Bool = false, portIsTaken: Bool = false) throws -> String {
        let client = OAuthClient(tokenURL: "https://a.example/t", authorizeURL: "https://a.example/a", clientID: "c")
        var ways = try LoginWays(
            wish: nil, opensBrowser: true, client: client, rules: LoginRules(redirect: redirect),
            surroundings: LoginSurroundings(hasTerminal: true, environment: environment, host: "box"))
        if portIsTaken { ways = ways.withoutCallback }
        return LoginInstructions(
            provider: "p", ways: ways, address: "https://a.example/a?x", redirect: redirect, device: nil, portIsTaken: portIsTaken,
            browserWasOpened: opened
        ).lines.joined(separator: "\n")
    }

    @Test func `Every way that is open is told, and none that is not`() throws {
        let desktop = try Self.text(["DISPLAY": ":0"], opened: true)
        #expect(desktop.hasPrefix("Your browser opens"))
        #expect(desktop.contains("\n    https://a.example/a?x\n") && desktop.contains("paste here") && !desktop.contains("ssh"))
        #expect(try Self.text(["DISPLAY": ":0"]).hasPrefix("To log in to p, open\n"))
        let remote = try Self.text(["SSH_TTY": "x", "USER": "me"])
        #expect(remote.contains("\n    ssh -L 1455:127.0.0.1:1455 me@box\n"))
        let taken = try Self.text(["DISPLAY": ":0"], portIsTaken: true)
        #expect(taken.hasPrefix("Port 1455 is taken") && taken.contains("an address it cannot open"))
    }

    @Test(arguments: [PasteParser.Reading.requestAddress, .withoutCode, .unreadable])
    func `Whoever pastes the wrong thing is told what the right one is`(reading: PasteParser.Reading) {
        #expect(PasteAdvice.text(reading)?.contains("address") == true)
    }

    @Test func `An empty line is nothing to talk about`() {
        #expect(PasteAdvice.text(.empty) == nil)
    }
}
