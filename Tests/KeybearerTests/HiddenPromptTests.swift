import Glibc
import Testing

/// The prompt at a real (pseudo) terminal. Not where there is none to be had: a bare root file system has no /dev/pts.
@Suite(.enabled(if: access("/dev/pts/ptmx", F_OK) == 0)) struct HiddenPromptTests {
    private let scratch: Scratch
    private let keybearer: Executable
    private let terminal: PseudoTerminal

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        terminal = try PseudoTerminal()
    }

    private func ask() throws -> RunningProcess {
        let process = try keybearer.start(["models", "auth", "paste-api-key", "--provider", "openai"], terminal: terminal.path)
        try process.waitFor { $0.contains("API key for openai (not shown): ") ? true : nil }
        return process
    }

    @Test func `What is typed is not shown, and is stored`() throws {
        let process = try ask()
        #expect(!terminal.echoes)
        terminal.type("sk-typed-canary\n")
        #expect(process.wait() == 0)
        #expect(terminal.echoes)
        #expect(!terminal.shown().contains("canary") && !process.errors.contains("canary") && !process.output.contains("canary"))
        #expect(Text.read(scratch.path + "/.keybearer/agents/main/agent/auth-profiles.json").contains("sk-typed-canary"))
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `A signal at the prompt ends it, with the terminal as it was`(signal: Int32) throws {
        let process = try ask()
        terminal.type("sk-half")
        process.signal(signal)
        #expect(process.wait() == 128 + signal)
        #expect(terminal.echoes)
        #expect(Text.read(scratch.path + "/.keybearer/agents/main/agent/auth-profiles.json").isEmpty)
    }
}

/// A terminal with the test at the keyboard.
final class PseudoTerminal {
    private let keyboard: Int32
    /// Held open, so that the terminal outlives the process that is tested.
    private let screen: Int32
    let path: String

    init() throws {
        var (keyboard, screen): (Int32, Int32) = (-1, -1)
        var name = [CChar](repeating: 0, count: 128)
        try #require(openpty(&keyboard, &screen, &name, nil, nil) == 0)
        self.keyboard = keyboard
        self.screen = screen
        path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        close(screen)
        close(keyboard)
    }

    /// Whether it shows what is typed.
    var echoes: Bool {
        var state = termios()
        return tcgetattr(screen, &state) == 0 && state.c_lflag & tcflag_t(ECHO) != 0
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(keyboard, bytes, bytes.count)
    }

    /// What has appeared on it.
    func shown() -> String {
        var entry = pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 100) > 0 else { return "" }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(keyboard, &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }
}
