internal import Glibc

/// Questions at the terminal. What is asked goes to standard error, like everything that is no answer of a command.
enum OnboardPrompt {
    /// Asks until one of `answers` is named by its number; its place.
    static func choose(_ question: String, _ answers: [String]) throws -> Int {
        Output.error(question)
        for (number, answer) in answers.enumerated() { Output.error("  \(number + 1)  \(answer)") }
        while true {
            let line = try self.line("1 to \(answers.count): ")
            if let number = Int(line), (1...answers.count).contains(number) { return number - 1 }
        }
    }

    /// Yes or no; `usual` on an empty line.
    static func confirm(_ question: String, usual: Bool) throws -> Bool {
        while true {
            switch try line("\(question) [\(usual ? "Y/n" : "y/N")] ").lowercased() {
            case "": return usual
            case "y", "yes": return true
            case "n", "no": return false
            default: continue
            }
        }
    }

    /// The places of `items` in the order that was typed; nil on an empty line. Every number is asked for once.
    static func order(_ question: String, of count: Int) throws -> [Int]? {
        while true {
            let line = try self.line(question)
            if line.isEmpty { return nil }
            if let places = permutation(line, of: count) { return places }
            Output.error("Type each of the numbers 1 to \(count) once, best first, or nothing to keep the order.")
        }
    }

    /// `2 1` or `2,1` as places; nil when it does not name each of 1…count once.
    static func permutation(_ text: String, of count: Int) -> [Int]? {
        let numbers = text.split { $0 == " " || $0 == "," }.map { Int($0) }
        let known = numbers.compactMap { $0 }
        return known.count == numbers.count && known.sorted() == Array(1...count) ? known.map { $0 - 1 } : nil
    }

    private static func line(_ prompt: String) throws -> String {
        Output.write(prompt, to: STDERR_FILENO)
        guard let line = readLine() else {
            throw Failure.failed("standard input has ended; what was stored until now stays, and nothing else was changed")
        }
        let start = line.drop(while: \.isWhitespace)
        return start.lastIndex { !$0.isWhitespace }.map { String(start[...$0]) } ?? ""
    }
}

/// The signals that this process lets through. A login and a server of ours hold Ctrl-C back and leave it so; between them it has to end
/// the command at once.
struct OnboardSignals {
    private var mask = sigset_t()

    /// Notes those of now.
    init() { unsafe pthread_sigmask(SIG_SETMASK, nil, &mask) }

    /// Back to what was noted; one that came meanwhile is delivered.
    func restore() {
        var mask = mask
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
