import Testing

@testable import Tools

@Suite struct ShellTests {
    /// What breaks naive quoting.
    static let values = [
        "", "plain", "http://127.0.0.1:5392/anthropic@work", "two words", "it's", "''", "\"double\"", "$HOME", "${PATH}", "$(id)", "`id`",
        "a\\b", "ends\\", "\\'", "!!", "line\nbreak", "tab\there", "*", "~", "~/x", "#x", "a;b", "a&b|c", "a=b", "(x)", "{a,b}", "é漢",
        "%20",
        "-n", "a\\nb", "'\\''", "$'x'",
    ]

    @Test(arguments: [
        (Shell.bash, "it's $5", "export NAME='it'\\''s $5'"), (.zsh, "it's $5", "export NAME='it'\\''s $5'"),
        (.fish, "it's $5", "set -gx NAME 'it\\'s $5'"), (.bash, "a\\b", "export NAME='a\\b'"), (.fish, "a\\b", "set -gx NAME 'a\\\\b'"),
        (.bash, "http://127.0.0.1:1/a@b", "export NAME=http://127.0.0.1:1/a@b"), (.fish, "", "set -gx NAME ''"),
        (.zsh, "~", "export NAME='~'"),
    ])
    func `A value is one word in each shell's own quotes`(shell: Shell, value: String, command: String) {
        #expect(shell.export(Tool.Variable("NAME", value)) == command)
    }

    @Test(arguments: values)
    func `bash reads back exactly the value, whatever is in it`(value: String) {
        let script = Shell.bash.export(Tool.Variable("NAME", value)) + "\nprintf '%s|' \"$NAME\""
        #expect(Process.run(["/bin/bash", "-c", script]) == value + "|")
    }

    @Test(.enabled(if: Process.exists("/usr/bin/zsh")), arguments: values)
    func `zsh reads back exactly the value, whatever is in it`(value: String) {
        let script = Shell.zsh.export(Tool.Variable("NAME", value)) + "\nprintf '%s|' \"$NAME\""
        #expect(Process.run(["/usr/bin/zsh", "-c", script]) == value + "|")
    }

    @Test(.enabled(if: Process.exists("/usr/bin/fish")), arguments: values)
    func `fish reads back exactly the value, whatever is in it`(value: String) {
        let script = Shell.fish.export(Tool.Variable("NAME", value)) + "\nprintf '%s|' \"$NAME\""
        #expect(Process.run(["/usr/bin/fish", "--no-config", "-c", script]) == value + "|")
    }

    @Test(arguments: [("/bin/bash", Shell.bash), ("/usr/bin/zsh", .zsh), ("fish", .fish)])
    func `The user's shell is told by its path`(path: String, shell: Shell) {
        #expect(Shell(path: path) == shell)
        #expect(Shell(path: "/bin/dash") == nil)
    }

    @Test func `Variables that clash are removed in the shell's own way`() {
        #expect(Shell.bash.unset("X") == "unset X" && Shell.fish.unset("X") == "set -e X")
        #expect(Shell.zsh.evaluation(of: "keybearer env") == "eval \"$(keybearer env)\"")
        #expect(Shell.fish.evaluation(of: "keybearer env") == "keybearer env | source")
    }
}
