import Testing

@testable import keybearer

@Suite struct LoginProgressTests {
    @Test func `On a terminal one line renews itself, and only when it changes`() {
        var progress = LoginProgress(isTerminal: true)
        #expect(progress.text("Waiting", seconds: 0) == "\r\u{1b}[KWaiting (0 s, Ctrl-C ends it)")
        #expect(progress.text("Waiting", seconds: 0) == nil)
        #expect(progress.text("Waiting", seconds: 65) == "\r\u{1b}[KWaiting (1:05, Ctrl-C ends it)")
    }

    @Test func `In a pipe there is a plain line every half minute`() {
        var progress = LoginProgress(isTerminal: false)
        #expect(progress.text("Waiting", seconds: 29) == nil)
        #expect(progress.text("Waiting", seconds: 30) == "Waiting (30 s)\n")
        #expect(progress.text("Waiting", seconds: 59) == nil)
        #expect(progress.text("Waiting", seconds: 60) == "Waiting (1:00)\n")
    }
}
