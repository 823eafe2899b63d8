internal import JSON

/// One pass over one file: where it is, what was wrong, and where each member stood.
struct Reading: Sendable {
    /// The file's path as people should see it.
    let source: String
    private(set) var problems: [SettingsError.Problem] = []
    /// Where the members of all files read so far stand, by full path; of a member given twice, the last place.
    private(set) var places: [String: Place]
    private var path: String

    /// Where a member stands.
    struct Place: Sendable, Equatable {
        let source: String
        let line: Int
        let column: Int
    }

    /// - Parameters:
    ///   - path: the member whose value the file holds; empty for the settings as a whole.
    ///   - places: those of the files before this one.
    init(source: String, under path: String = "", places: [String: Place] = [:]) {
        self.source = source
        self.path = path
        self.places = places
    }

    /// Reads a member's value, with the member's name on the path.
    mutating func enter(_ member: LocatedValue.Member, _ body: (inout Reading) -> Void) {
        // A key in the place of a name would be printed with every path.
        let name = SecretShape.isSecretValue(member.name) ? "‹secret›" : member.name
        within(path.isEmpty ? name : "\(path).\(name)") { reading in
            reading.places[reading.path] = Place(source: reading.source, line: member.line, column: member.column)
            body(&reading)
        }
    }

    /// Reads an element of a list, with its number (from 0) on the path.
    mutating func enter<Result>(element number: Int, _ body: (inout Reading) -> Result) -> Result {
        within("\(path)[\(number)]", body)
    }

    private mutating func within<Result>(_ inner: String, _ body: (inout Reading) -> Result) -> Result {
        let outer = path
        path = inner
        defer { path = outer }
        return body(&self)
    }

    /// Notes that a value is not what the schema wants. The value itself is never quoted: it may be a secret in the wrong place.
    mutating func mismatch(_ value: LocatedValue, expected: String) {
        note("expected \(expected), found \(value.kindName)", line: value.line, column: value.column)
    }

    /// Notes a value of the right type that is not acceptable.
    mutating func refuse(_ value: LocatedValue, expected: String) {
        note("expected \(expected)", line: value.line, column: value.column)
    }

    /// Notes a member that the schema does not have.
    mutating func unknown(_ member: LocatedValue.Member, among names: [String]) {
        if SecretShape.isSecretName(member.name) || SecretShape.isSecretValue(member.name) {
            return note(SecretShape.advice, line: member.line, column: member.column)
        }
        let hint = Suggestion.closest(to: member.name, among: names).map { "; did you mean \"\($0)\"?" }
        note(
            "unknown member" + (hint ?? "; expected \(Suggestion.list(names))"),
            line: member.line, column: member.column)
    }

    /// Notes that a member's name is not one of those a map can have.
    mutating func refuse(name member: LocatedValue.Member, expected: String) {
        note("expected \(expected)", line: member.line, column: member.column)
    }

    /// Notes a file that is no JSON5 at all.
    mutating func syntax(_ error: SyntaxError) {
        note(error.message, line: error.line, column: error.column)
    }

    private mutating func note(_ message: String, line: Int, column: Int) {
        problems.append(SettingsError.Problem(source: source, line: line, column: column, member: path, message: message))
    }
}
