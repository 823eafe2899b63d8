internal import Digest
internal import Glibc

/// A question at the terminal whose answer is not shown.
enum HiddenPrompt {
    /// Asks on standard error, reads a line from the terminal on standard input, and puts the terminal back as it was, whatever happens.
    ///
    /// Signals that end the process are held back meanwhile: they are looked for between keystrokes, and delivered once the terminal
    /// shows what is typed again.
    static func ask(_ question: String) throws -> [UInt8] {
        let signals = HeldSignals()
        var before = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &before) == 0 else { throw Failure.failed("cannot hide what is typed at this terminal") }
        var hidden = before
        hidden.c_lflag &= ~tcflag_t(ECHO)
        hidden.c_lflag |= tcflag_t(ECHONL)
        guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else {
            throw Failure.failed("cannot hide what is typed at this terminal")
        }
        Output.write(question, to: STDERR_FILENO)
        let (line, signal) = readLine(signals)
        unsafe _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        signals.release(delivering: signal)
        return line
    }

    /// Bytes up to the end of the line, or the signal that came first.
    private static func readLine(_ signals: HeldSignals) -> (line: [UInt8], signal: Int32?) {
        // Room for all of it from the start: a growing array would leave copies behind.
        var line: [UInt8] = []
        line.reserveCapacity(PastedSecret.limit)
        while line.count < PastedSecret.limit {
            if let signal = signals.pending() {
                Memory.cleanse(&line)
                return ([], signal)
            }
            var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&entry, 1, 50) > 0 else { continue }
            var byte: UInt8 = 0
            let count = unsafe read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != UInt8(ascii: "\n") else { break }
            line.append(byte)
        }
        return (line, nil)
    }
}

/// Signals that would end the process while the terminal hides what is typed.
private struct HeldSignals {
    private var held = sigset_t()
    private var before = sigset_t()

    init() {
        unsafe sigemptyset(&held)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { unsafe sigaddset(&held, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &held, &before)
    }

    /// One that has come.
    func pending() -> Int32? {
        var set = held
        var now = timespec()
        let number = unsafe sigtimedwait(&set, nil, &now)
        return number > 0 ? number : nil
    }

    /// Lets them through again, and the one that was taken first.
    func release(delivering number: Int32?) {
        var mask = before
        if let number { raise(number) }
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
