import Glibc

/// One behaviour as a dialogue in a text file; its name is the sentence it proves. The format is described in `Exchanges/README.md`.
struct ExchangeFile: Sendable, CustomStringConvertible {
    /// One line of a script.
    struct Step: Sendable {
        let line: Int
        let verb: String
        let text: String
    }
    /// What one party to the dialogue does, in order.
    struct Script: Sendable {
        let name: String
        let line: Int
        /// For clients: those below do not wait for its end.
        let isInBackground: Bool
        var steps: [Step] = []

        /// With its placeholders replaced.
        func expanded(by placeholders: Placeholders) -> Script {
            var script = self
            script.steps = steps.map { Step(line: $0.line, verb: $0.verb, text: placeholders.expand($0.text)) }
            return script
        }
    }
    /// The file or its section cannot be understood.
    struct Flaw: Error, CustomStringConvertible {
        let description: String
    }

    let name: String
    private(set) var settings = ""
    /// Texts of `auth-profiles.json` by agent.
    private(set) var stores: [String: String] = [:]
    /// Texts that a step puts into a store.
    private(set) var texts: [String: String] = [:]
    /// Texts of other programs' files, by their name in the test's folder.
    private(set) var files: [String: String] = [:]
    /// Client keys and what they allow, and admitted origins.
    private(set) var keys: [String: String] = [:]
    private(set) var origins: [String] = []
    private(set) var clients: [Script] = []
    private(set) var upstreams: [Script] = []
    private(set) var tokenEndpoints: [Script] = []

    var description: String { name }

    static let verbs: Set<String> = [
        ">", ">>", "answer", "expect", "header", "no-header", "body", "body-has", "body-lacks", "no-body", "chunk", "last-chunk", "receive",
        "open", "closed", "reset", "gone", "pause", "close", "cut", "end", "signal", "wait", "store-has", "store-lacks", "state-has",
        "log-has", "log-lacks",
        "replace-store", "replace-state", "write-file", "revoke", "rotate", "allow-origin",
    ]

    init(name: String, text: String) throws(Flaw) {
        self.name = name
        var section: Section?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let number = index + 1
            if line.hasPrefix("#") { continue }
            if let first = line.first, first != " " {
                section = try open(line, at: number)
                continue
            }
            let content = line.drop { $0 == " " }
            if content.isEmpty || content.hasPrefix("#") { continue }
            guard let section else { throw Flaw(description: "\(name):\(number): a line before the first section") }
            try add(content, at: number, to: section)
        }
    }

    private enum Section {
        case settings
        case store(String)
        case text(String)
        case file(String)
        case key(String)
        case origins
        case script(WritableKeyPath<ExchangeFile, [Script]>)
    }

    private mutating func open(_ line: Substring, at number: Int) throws(Flaw) -> Section {
        let words = line.split(separator: " ").map(String.init)
        let name = words.count > 1 ? words[1] : words[0]
        switch words[0] {
        case "settings": return .settings
        case "store":
            let agent = words.count > 1 ? words[1] : "main"
            stores[agent] = ""
            return .store(agent)
        case "text":
            texts[name] = ""
            return .text(name)
        case "file":
            files[name] = ""
            return .file(name)
        case "key":
            keys[name] = ""
            return .key(name)
        case "origins": return .origins
        case "client": return begin(\.clients, name, number, isInBackground: line.hasSuffix(" in background"))
        case "upstream": return begin(\.upstreams, name, number)
        case "token-endpoint": return begin(\.tokenEndpoints, name, number)
        default: throw Flaw(description: "\(self.name):\(number): no section is called \(words[0])")
        }
    }

    private mutating func begin(
        _ list: WritableKeyPath<ExchangeFile, [Script]>, _ name: String, _ line: Int, isInBackground: Bool = false
    ) -> Section {
        self[keyPath: list].append(Script(name: name, line: line, isInBackground: isInBackground))
        return .script(list)
    }

    private mutating func add(_ content: Substring, at number: Int, to section: Section) throws(Flaw) {
        switch section {
        case .settings: settings += content + "\n"
        case .store(let agent): stores[agent, default: ""] += content + "\n"
        case .text(let name): texts[name, default: ""] += content + "\n"
        case .file(let name): files[name, default: ""] += content + "\n"
        case .key(let name): keys[name, default: ""] += content + "\n"
        case .origins: origins.append(String(content))
        case .script(let list):
            let verb = String(content.prefix { $0 != " " })
            guard Self.verbs.contains(verb) else { throw Flaw(description: "\(name):\(number): no step is called \(verb)") }
            // One space ends the verb; what follows is the text, spaces and all.
            let text = String(content.dropFirst(verb.count + 1))
            let last = self[keyPath: list].count - 1
            self[keyPath: list][last].steps.append(Step(line: number, verb: verb, text: text))
        }
    }
}

extension ExchangeFile {
    /// All files of the folder, by name.
    static let all: [ExchangeFile] = {
        let folder = String(#filePath.dropLast("ExchangeFile.swift".count)) + "Exchanges"
        let names = TestFolder.names(in: folder).filter { $0.hasSuffix(".exchange") }
        return names.map { name in
            do {
                return try ExchangeFile(name: name, text: TestFolder.text(of: "\(folder)/\(name)"))
            } catch {
                fatalError("\(error)")
            }
        }
    }()
}
