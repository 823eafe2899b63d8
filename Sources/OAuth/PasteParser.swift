/// What a person pastes in place of the callback (spec/credential-formats.md §4.1): the address the browser ended at, `code#state`, the
/// query alone, or the bare code. Pure.
public enum PasteParser {
    /// What was pasted.
    public enum Reading: Sendable, Equatable {
        /// Something to check against the attempt.
        case answer(AuthorizationAnswer)
        /// Nothing.
        case empty
        /// The address that is to be opened, and not the one the browser ends at.
        case requestAddress
        /// An address or query without a code.
        case withoutCode
        /// Nothing of the kind.
        case unreadable
    }

    /// A line longer than this is no answer of any provider.
    public static let limit = 8 << 10
    /// A code shorter than this is a typing mistake: it could be guessed.
    static let shortestCode = 8

    /// Reads one line.
    public static func read(_ line: String) -> Reading {
        let text = trimmed(line)
        guard !text.isEmpty else { return .empty }
        guard text.utf8.count <= limit, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return .unreadable }
        if let scheme = text.firstRange(of: "://") {
            return isScheme(text[..<scheme.lowerBound]) ? readAddress(text[scheme.upperBound...]) : .unreadable
        }
        if !text.contains("="), let mark = text.firstIndex(of: "#") {
            let (code, state) = (String(text[..<mark]), String(text[text.index(after: mark)...]))
            guard isCode(code), !state.isEmpty, !state.contains("#") else { return .unreadable }
            return .answer(AuthorizationAnswer(code: code, state: state))
        }
        if text.contains("code=") || text.contains("error=") {
            return readQuery(text.drop { $0 == "?" || $0 == "#" })
        }
        return isCode(String(text)) ? .answer(AuthorizationAnswer(code: String(text))) : .unreadable
    }

    /// Behind `://`: the query, or the fragment where a provider puts the answer there.
    private static func readAddress(_ rest: Substring) -> Reading {
        let parts = rest.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts[0].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        if let query, query.contains("code_challenge=") { return .requestAddress }
        let answers = [query, parts.dropFirst().first].compactMap { $0 }.map(readQuery)
        return answers.first { if case .answer = $0 { true } else { false } } ?? answers.first { $0 == .unreadable } ?? .withoutCode
    }

    private static func readQuery(_ query: Substring) -> Reading {
        guard let answer = AuthorizationAnswer(query: query) else { return .unreadable }
        return answer.saysSomething ? .answer(answer) : .withoutCode
    }

    /// Without white space, quotes and angle brackets around it, as terminals and mails put them there.
    private static func trimmed(_ line: String) -> Substring {
        let isAround: (Character) -> Bool = { $0.isWhitespace || "\"'<>`".contains($0) }
        let start = line.drop(while: isAround)
        guard let last = start.lastIndex(where: { !isAround($0) }) else { return "" }
        return start[...last]
    }

    private static func isScheme(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { (0x41...0x5a).contains($0 & ~0x20) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }
    }

    /// Codes are opaque (RFC 6749 §4.1.2), but the characters that separate things in an address are none of theirs.
    private static func isCode(_ text: String) -> Bool {
        text.utf8.count >= shortestCode && !text.utf8.contains { "#&?<>\"'\\".utf8.contains($0) }
    }
}
