internal import Glibc
internal import JSON

/// What is printed: answers on standard output, progress and errors on standard error.
enum Console {
    /// One line of an answer, at once.
    static func line(_ text: String = "") { write(text + "\n", to: STDOUT_FILENO) }
    /// A line about how far it is, or what went wrong.
    static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }
    /// An answer for programs.
    static func json(_ value: Value) { write(String(decoding: Writer.pretty(value), as: UTF8.self), to: STDOUT_FILENO) }

    /// Rows with their columns aligned, two spaces apart; the last column is as long as it likes.
    static func table(_ rows: [[String]]) {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count - 1 ? $0[column].count : 0 }.max() ?? 0 }
        for row in rows {
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            line(cells.joined())
        }
    }

    /// All tables of a run.
    static func report(_ report: ReportTable) {
        for (title, lines) in report.sections {
            line("\n\(title)")
            table(lines)
        }
    }
    /// An answer that ends its lines itself.
    static func text(_ text: String) { write(text, to: STDOUT_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
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
