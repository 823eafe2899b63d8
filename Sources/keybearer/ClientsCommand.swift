internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Proxy
internal import Sockets

/// `keybearer clients`
struct ClientsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "Keys of your own for teams, containers and sandboxes, and pages that may call.",
        discussion: """
            A tool shows a client key where it puts its API key; Keybearer takes it off the request and goes by its policy. Your own user \
            needs none; other users of this machine, containers and other machines do. Changes hold at once in a running server.
            """,
        subcommands: [Add.self, List.self, Show.self, Revoke.self, Rotate.self, AllowOrigin.self, DenyOrigin.self],
        defaultSubcommand: List.self)

    /// `keybearer clients list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the keys and admitted pages. No key can be shown again.",
            discussion: """
                EXAMPLES
                  keybearer clients list
                  keybearer clients list --json | jq '.clients[].name'
                """)

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let book = try ClientBook.read(installation.clientsPath)
            let now = Clock.wall()
            guard !json else {
                return Output.json([
                    "clients": .array(book.keys.map { ClientText.document($0, now: now) }),
                    "origins": .array(book.origins.map { .string($0) }),
                ])
            }
            if book.keys.isEmpty { Output.line("There are no client keys yet. Make one: keybearer clients add NAME") }
            Output.table(book.keys.map { [$0.name, $0.id, ClientText.policy($0, now: now)] })
            for origin in book.origins { Output.line("admitted: \(origin)") }
        }
    }

    /// `keybearer clients show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show what one key allows, and what it has used today.",
            discussion: """
                EXAMPLES
                  keybearer clients show ci
                """)

        @Argument(help: ArgumentHelp("The key's name or id.", valueName: "name"), completion: Completions.clients)
        var name: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let key = try ClientText.key(name, in: try ClientBook.read(installation.clientsPath))
            let now = Clock.wall()
            var document = ClientText.document(key, now: now).object ?? [:]
            let used = ClientUsage.tokens(in: installation.clientsPath, now: now)[key.id] ?? 0
            document["tokensToday"] = .integer(used)
            guard !json else { return Output.json(.object(document)) }
            Output.table([
                ["name", key.name], ["id", key.id], ["made", Timestamp.rfc3339(key.createdAt)],
                ["policy", ClientText.policy(key, now: now)],
                ["tokens today", "\(used), as last written down"],
            ])
        }
    }

    /// `keybearer clients revoke`
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Refuse a key from now on, also for what it has under way.",
            discussion: """
                EXAMPLES
                  keybearer clients revoke ci
                """)

        @Argument(help: ArgumentHelp("The key's name or id.", valueName: "name"), completion: Completions.clients)
        var name: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let key = try installation.changeClients { book in
                let key = try ClientText.key(name, in: book)
                _ = book.remove(key.id)
                return key
            }
            if json { return Output.json(["id": .string(key.id), "name": .string(key.name), "revoked": true]) }
            Output.line("revoked \(key.name)")
        }
    }

    /// `keybearer clients rotate`
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Print a new key with the policy of an old one, which is refused from now on.",
            discussion: """
                EXAMPLES
                  keybearer clients rotate ci | ssh buildhost 'cat > ~/.config/keybearer-key'
                """)

        @Argument(help: ArgumentHelp("The key's name or id.", valueName: "name"), completion: Completions.clients)
        var name: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let (key, text) = try installation.changeClients { book in
                let key = try ClientText.key(name, in: book)
                return (key, book.rotate(key.id) ?? "")
            }
            ClientText.reveal(text, of: key, json: json)
        }
    }
}

extension Installation {
    /// Changes the book of clients, and waits until a running server goes by it.
    func changeClients<Outcome>(_ body: (inout ClientBook) throws -> Outcome) throws -> Outcome {
        let (book, outcome) = try ClientBook.change(clientsPath, body)
        guard let first = try? control.value("GET", ["status"]) else { return outcome }
        var status = first
        for _ in 0..<200 {
            if status["clients"]?["digest"]?.string == book.digest { return outcome }
            Pause.milliseconds(25)
            guard let next = try? control.value("GET", ["status"]) else { return outcome }
            status = next
        }
        Output.error("note: the running server has not taken the change within 5 s; restart it")
        return outcome
    }
}

/// What people are shown of client keys.
enum ClientText {
    /// - Throws: `Failure` where there is no such key.
    static func key(_ name: String, in book: ClientBook) throws -> ClientKey {
        if let key = book.key(name) { return key }
        let names = book.keys.map(\.name)
        let hint =
            Suggestion.closest(to: name, among: names).map { "did you mean \($0)?" } ?? "`keybearer clients list` shows those there are"
        throw Failure.failed("there is no client key \(name); \(hint)")
    }

    static func document(_ key: ClientKey, now: Int64) -> Value {
        var document: Object = [
            "name": .string(key.name), "id": .string(key.id), "createdAt": .string(Timestamp.rfc3339(key.createdAt)),
            "expired": .bool(key.expiresAt.map { $0 <= now } ?? false),
        ]
        for (name, value) in key.policy { document[name] = name == "expiresAt" ? .string(Timestamp.rfc3339(value.int64 ?? 0)) : value }
        return .object(document)
    }

    static func policy(_ key: ClientKey, now: Int64) -> String {
        var rules: [String] = []
        if let agent = key.agent { rules.append("agent \(agent)") }
        for (name, list) in [("providers", key.providers), ("profiles", key.profiles), ("models", key.models)] where !list.isEmpty {
            rules.append("\(name) \(list.joined(separator: ","))")
        }
        if let rate = key.rate { rules.append("\(rate) requests") }
        if let budget = key.budgetTokens { rules.append("\(budget) tokens a day") }
        if let expires = key.expiresAt { rules.append("\(expires <= now ? "EXPIRED" : "expires") \(Timestamp.rfc3339(expires))") }
        return rules.isEmpty ? "everything" : rules.joined(separator: "; ")
    }

    /// The one time that a key is shown: alone on standard output, so that it can be piped on.
    static func reveal(_ text: String, of key: ClientKey, json: Bool) {
        guard !json else {
            return Output.json(["name": .string(key.name), "id": .string(key.id), "key": .string(text)])
        }
        Output.line(text)
        Output.error("This is the key of \(key.name); it is not kept, and cannot be shown again.")
    }
}
