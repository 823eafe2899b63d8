internal import Glibc

/// A wait that shows itself: one line that renews itself on a terminal, a plain line now and then in a pipe. On standard error.
struct LoginProgress {
    /// Between two plain lines.
    static let plainInterval = 30

    private let isTerminal: Bool
    private var shown = ""
    private var lastPlain = 0

    init(isTerminal: Bool = isatty(STDERR_FILENO) != 0) {
        self.isTerminal = isTerminal
    }

    /// Says that `what` has been going on for so many seconds.
    mutating func show(_ what: String, seconds: Int) {
        guard let text = text(what, seconds: seconds) else { return }
        Output.write(text, to: STDERR_FILENO)
    }

    /// What is written for that; nil when nothing has to be.
    mutating func text(_ what: String, seconds: Int) -> String? {
        guard isTerminal else {
            guard seconds >= lastPlain + Self.plainInterval else { return nil }
            lastPlain = seconds
            return "\(what) (\(Self.clock(seconds)))\n"
        }
        let line = "\(what) (\(Self.clock(seconds)), Ctrl-C ends it)"
        guard line != shown else { return nil }
        shown = line
        return "\r\u{1b}[K\(line)"
    }

    /// Takes the line away, before something else is written.
    mutating func clear() {
        guard isTerminal, !shown.isEmpty else { return }
        shown = ""
        Output.write("\r\u{1b}[K", to: STDERR_FILENO)
    }

    /// `7 s`, `2:05`
    private static func clock(_ seconds: Int) -> String {
        guard seconds >= 60 else { return "\(seconds) s" }
        let rest = seconds % 60
        return "\(seconds / 60):\(rest < 10 ? "0" : "")\(rest)"
    }
}
