internal import Glibc
internal import OAuth

/// Standard input while a login waits: whole lines of it, without showing what is pasted, so that the progress line stays in its place.
///
/// The signals that end a process stay blocked while it lives; the terminal is put back when it goes.
struct LoginTerminal: ~Copyable {
    private var before = termios()
    private var isHidden = false
    private var line: [UInt8] = []
    private(set) var hasEnded = false

    /// Takes standard input over, and hides what is typed where it is a terminal.
    init() {
        hide()
    }

    deinit { if isHidden { show() } }

    /// Whether standard input is a terminal, and so somebody may sit there.
    static var isThere: Bool { isatty(STDIN_FILENO) != 0 }

    /// This machine's name.
    static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The next whole line, if one comes within `milliseconds`.
    mutating func line(within milliseconds: Int32) -> String? {
        guard !hasEnded else {
            usleep(UInt32(milliseconds) * 1000)
            return nil
        }
        var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, milliseconds) > 0 else { return nil }
        // Byte by byte: what stands behind the line is not ours.
        while unsafe poll(&entry, 1, 0) > 0 {
            var byte: UInt8 = 0
            let count = unsafe read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else {
                hasEnded = true
                return takeLine()
            }
            if let text = take(byte) { return text }
        }
        return nil
    }

    private mutating func take(_ byte: UInt8) -> String? {
        switch byte {
        case 0x0a, 0x0d: return takeLine()
        // Backspace and delete, ^U, and ^D on an empty line: the terminal does not edit for us now.
        case 0x08 where isHidden, 0x7f where isHidden: _ = line.popLast()
        case 0x15 where isHidden: line.removeAll()
        case 0x04 where isHidden && line.isEmpty: hasEnded = true
        default: if line.count <= PasteParser.limit { line.append(byte) }
        }
        return nil
    }

    private mutating func takeLine() -> String? {
        defer { line.removeAll() }
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }

    /// Not canonical: that mode cuts a line at 4096 bytes.
    private mutating func hide() {
        guard Self.isThere, unsafe tcgetattr(STDIN_FILENO, &before) == 0 else { return }
        var hidden = before
        hidden.c_lflag &= ~tcflag_t(ECHO | ICANON)
        isHidden = unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &hidden) == 0
    }

    private func show() {
        var shown = before
        unsafe _ = tcsetattr(STDIN_FILENO, TCSADRAIN, &shown)
    }
}
