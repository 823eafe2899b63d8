internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Proxy

/// `keybearer sessions`
struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "Show which profile serves which conversation, and pin one.",
        discussion: """
            A session is known by what a tool sends: Keybearer-Session, X-Claude-Code-Session-Id, session-id, … (sessions.headers), or \
            prompt_cache_key. Only a hash of it is kept, by which `list` shows it; `pin` and `unpin` take the hash or the id itself. They \
            act on the running server, or on its file when none runs.
            """,
        subcommands: [List.self, Pin.self, Unpin.self], defaultSubcommand: List.self)

    /// `keybearer sessions list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the sessions, the last used first.",
            discussion: """
                EXAMPLES
                  keybearer sessions list
                  keybearer sessions list --json | jq '.sessions[] | select(.pin != null)'
                """)

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let list = try installation.control.value("GET", ["sessions"]) ?? installation.sessionBook.list
            guard !json else { return Output.json(list) }
            let sessions = list["sessions"]?.array ?? []
            guard !sessions.isEmpty else { return Output.line("no sessions yet") }
            Output.table(
                sessions.map { session in
                    func text(_ name: String) -> String { session[name]?.string ?? "-" }
                    let pin = session["pin"]?.string.map { "pinned to \($0)" } ?? ""
                    return [text("session"), text("agent"), text("provider"), text("profile"), pin, Self.age(session["usedAt"]?.int64)]
                })
        }

        private static func age(_ time: Int64?) -> String {
            time.map { "used \(Timestamp.rfc3339($0))" } ?? ""
        }
    }

    /// `keybearer sessions pin`
    struct Pin: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pin", abstract: "Let a session be served by one profile only.",
            discussion: """
                Its requests are refused when that profile cannot serve, until it is unpinned, or a model is sent with @auto.

                EXAMPLES
                  keybearer sessions pin 6f1c0a34-… anthropic:work
                """)

        @Argument(help: ArgumentHelp("The session's id as the tool sends it, or its hash.", valueName: "session"))
        var session: String

        @Argument(help: ArgumentHelp("The profile's id.", valueName: "profile"))
        var profile: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let query = [("session", session), ("profile", profile), ("agent", installation.agentID)]
            if try installation.control.value("POST", ["sessions", "pin"], query) == nil { try pin(installation) }
            if json { return Output.json(["session": .string(session), "pin": .string(profile)]) }
            Output.line("pinned \(session) to \(profile)")
        }

        private func pin(_ installation: Installation) throws {
            let stored = try installation.load()
            guard let known = stored.profile(profile) else {
                throw Failure.failed(
                    "agent \(installation.agentID) has no profile \(profile); `keybearer models status` lists those there are")
            }
            let owner = stored.owner(of: profile) ?? installation.agentID
            let book = installation.sessionBook
            for provider in installation.settings.providers where provider.credentialsFrom == known.provider {
                book.pin(session, agent: installation.agentID, provider: provider.id, profile: profile, owner: owner)
            }
            try installation.save(book)
        }
    }

    /// `keybearer sessions unpin`
    struct Unpin: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unpin", abstract: "Let a pinned session go its own way again.",
            discussion: """
                EXAMPLES
                  keybearer sessions unpin 6f1c0a34-…
                """)

        @Argument(help: ArgumentHelp("The session's id as the tool sends it, or its hash.", valueName: "session"))
        var session: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let query = [("session", session), ("agent", installation.agentID)]
            let count =
                try installation.control.value("POST", ["sessions", "unpin"], query)?["unpinned"]?.int64 ?? Int64(try unpin(installation))
            guard count > 0 else {
                throw Failure.failed("no session \(session) is pinned; `keybearer sessions list` shows those there are")
            }
            if json { return Output.json(["session": .string(session), "pin": .null]) }
            Output.line("unpinned \(session)")
        }

        private func unpin(_ installation: Installation) throws -> Int {
            let book = installation.sessionBook
            let providers = installation.settings.providers.map(\.id)
            let count = book.unpin(session, agent: installation.agentID, providers: providers)
            try installation.save(book)
            return count
        }
    }
}

extension Installation {
    /// The server that runs with our state directory, if one does.
    var control: ControlClient { ControlClient(stateDirectory: places.stateDirectory) }
    /// Where the server keeps what it remembers of sessions.
    var sessionsPath: String { places.stateDirectory + "/sessions" }
    /// The client keys and admitted pages.
    var clientsPath: String { places.stateDirectory + "/" + ClientBook.fileName }
    var sessionBook: SessionBook { SessionBook(path: sessionsPath) }

    fileprivate func save(_ book: SessionBook) throws {
        if let failure = book.save() { throw Failure.failed(failure) }
    }
}
