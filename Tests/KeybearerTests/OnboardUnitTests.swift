import Testing

@testable import keybearer

@Suite struct OnboardUnitTests {
    @Test func `The unit is the one of config/systemd, word for word`() {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let shipped = Text.read(root + "/config/systemd/keybearer.service")
        #expect(!shipped.isEmpty && OnboardUnit.template == shipped)
        #expect(OnboardUnit.text(executable: "/home/me/.local/bin/keybearer", home: "/home/me", arguments: ["serve"]) == shipped)
    }

    @Test(arguments: [
        ("/opt/keybearer", ["serve"], "/opt/keybearer serve"), ("/opt/key bearer", ["serve"], "\"/opt/key bearer\" serve"),
        ("/opt/k", ["serve", "--state-dir", "/a b/$x%y\"z\\"], "/opt/k serve --state-dir \"/a b/$$x%%y\\\"z\\\\\""),
    ])
    func `The command is quoted as systemd reads it`(executable: String, arguments: [String], command: String) {
        let text = OnboardUnit.text(executable: executable, home: "/home/me", arguments: arguments)
        #expect(text.contains("\nExecStart=\(command)\nExecReload="))
    }

    @Test func `A neighbour's folder that a variable names goes into the unit`() {
        let text = OnboardUnit.text(executable: "/k", home: "/h", arguments: ["serve"], variables: ["OPENCLAW_STATE_DIR=/a b"])
        #expect(text.contains("\nExecStart=/k serve\nEnvironment=\"OPENCLAW_STATE_DIR=/a b\"\n"))
    }
}
