internal import Credentials
internal import Glibc
internal import JSON

/// What commands print: answers on standard output, everything else on standard error.
enum Output {
    /// One line of an answer, at once: a pipe's reader is waiting as well.
    static func line(_ text: String = "") { write(text + "\n", to: STDOUT_FILENO) }

    /// A line about what went wrong, or what should be known.
    static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// An answer for programs.
    static func json(_ value: Value) { write(String(decoding: Writer.pretty(value), as: UTF8.self), to: STDOUT_FILENO) }

    /// Rows with their columns aligned; the last column is as long as it likes.
    static func table(_ rows: [[String]], indent: String = "") {
        for row in aligned(rows) { line(indent + row) }
    }

    /// The rows as lines, columns two spaces apart.
    static func aligned(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count - 1 ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }.joined()
        }
    }

    /// All of `text`, in which no secret gets through (`KnownSecrets`).
    static func write(_ text: String, to descriptor: Int32) { reveal(KnownSecrets.masked(text), to: descriptor) }

    /// All of `text` as it is, for a credential that was asked for. As few calls as the kernel allows; nobody can be told when it fails.
    static func reveal(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return
            }
            bytes = bytes.dropFirst(count)
        }
    }
}
