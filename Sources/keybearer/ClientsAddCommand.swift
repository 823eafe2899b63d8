internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Sockets

extension ClientsCommand {
    /// `keybearer clients add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Make a key and print it, once.",
            discussion: """
                Without options it allows everything that you may do yourself. With --profiles of one profile it is a pin to that. With \
                --models a request whose model cannot be read is refused, and WebSockets are. Tokens are counted as answers tell them, \
                else one for four octets; the day begins at 00:00 UTC. --agent names the agent whose profiles it uses, whatever a request \
                says.

                EXAMPLES
                  keybearer clients add ci --providers openai --models 'gpt-5*' --budget-tokens 2000000/day
                  keybearer clients add sandbox --profiles anthropic:work --placeholder anthropic --expires 30d
                  keybearer clients add team --agent research --rate 60/min
                """)

        @Argument(help: ArgumentHelp("What to call it: 1 to 64 of a-z, A-Z, 0-9, '.', '-' and '_'.", valueName: "name"))
        var name: String

        @Option(help: ArgumentHelp("Providers it may use, with commas between them.", valueName: "ids"), completion: Completions.providers)
        var providers: String?

        @Option(help: ArgumentHelp("Profiles it may use.", valueName: "ids"), completion: Completions.profiles)
        var profiles: String?

        @Option(help: ArgumentHelp("Models it may use; claude-* is all that begin so.", valueName: "names"))
        var models: String?

        @Option(help: ArgumentHelp("How long it holds (12h, 30d) or its first day without it (2026-12-31).", valueName: "time"))
        var expires: String?

        @Option(help: ArgumentHelp("Requests it may make: 60/min, 5/s, 1000/h.", valueName: "rate"))
        var rate: String?

        @Option(help: ArgumentHelp("Tokens it may use in a day: 200000, 200k, 2M.", valueName: "count"))
        var budgetTokens: String?

        @Option(help: "What a tool expects its key to look like: anthropic, openai or google.")
        var placeholder: Placeholder?

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        enum Placeholder: String, ExpressibleByArgument, CaseIterable { case anthropic, openai, google }

        func validate() throws {
            let isName =
                (1...64).contains(name.utf8.count)
                && name.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || "._-".utf8.contains(byte)
                }
            guard isName, name.first != "-" else {
                throw ValidationError("A key's name is 1 to 64 of a-z, A-Z, 0-9, '.', '-' and '_'.")
            }
            guard rate.map({ ClientKey.Rate($0) != nil }) ?? true else {
                throw ValidationError("--rate is a number of requests and a time: 60/min, 5/s, 1000/h, 5000/day.")
            }
            guard budgetTokens.map({ TokenBudget.read($0) != nil }) ?? true else {
                throw ValidationError("--budget-tokens is a number of tokens a day: 200000, 200k, 2M, 2M/day.")
            }
            guard expires.map({ KeyExpiry.read($0, now: Clock.wall()) != nil }) ?? true else {
                throw ValidationError("--expires is a time from now (90m, 12h, 30d, 8w) or a day to come (2026-12-31).")
            }
        }

        func run() throws {
            let installation = try Installation(options)
            let now = Clock.wall()
            var policy = ClientKey(
                id: "", name: name, code: [], shape: placeholder.flatMap { ClientKeyText.Shape(rawValue: $0.rawValue) } ?? .plain,
                createdAt: now)
            policy.providers = try Self.list(providers).map { try installation.provider($0).id }
            policy.profiles = Self.list(profiles)
            policy.models = Self.list(models)
            policy.rate = rate.flatMap { ClientKey.Rate($0) }
            policy.budgetTokens = budgetTokens.flatMap(TokenBudget.read)
            policy.expiresAt = expires.flatMap { KeyExpiry.read($0, now: now) }
            if options.agent != nil {
                guard Agents(installation).ids.contains(installation.agentID) else {
                    throw Failure.failed("there is no agent \(installation.agentID); `keybearer agents add` makes one")
                }
                policy.agent = installation.agentID
            }
            try check(policy, installation)
            let wanted = policy
            let (key, text) = try installation.changeClients { book in
                guard book.key(name) == nil else {
                    throw Failure.failed("there is a client key \(name) already; `keybearer clients rotate \(name)` gives it a new secret")
                }
                guard book.keys.count < ClientBook.keyLimit else {
                    throw Failure.failed("there are \(ClientBook.keyLimit) client keys already")
                }
                return book.add(wanted, now: now)
            }
            ClientText.reveal(text, of: key, json: json)
        }

        /// A profile that is not there yet may come; it is said all the same, since a slip of the pen would leave the key with nothing.
        private func check(_ policy: ClientKey, _ installation: Installation) throws {
            let known = Set((try? installation.load())?.profiles.map(\.id) ?? [])
            for id in policy.profiles where !known.contains(id) {
                Output.error("note: agent \(installation.agentID) has no profile \(id) yet")
            }
        }

        private static func list(_ text: String?) -> [String] {
            (text ?? "").split(separator: ",").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
        }
    }
}

/// `200000`, `200k`, `2M`, each with `/day` behind it or not.
enum TokenBudget {
    static func read(_ text: String) -> Int64? {
        var digits = text[...]
        for end in ["/day", "/d"] where digits.hasSuffix(end) { digits = digits.dropLast(end.count) }
        var factor: Int64 = 1
        if let unit = ["k": 1_000, "K": 1_000, "M": 1_000_000][digits.last.map(String.init) ?? ""] {
            factor = Int64(unit)
            digits = digits.dropLast()
        }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits), number <= 1_000_000_000_000 else {
            return nil
        }
        return number * factor
    }
}

/// When a key ends: `90m`, `12h`, `30d`, `8w` from now, or `2026-12-31`.
enum KeyExpiry {
    static func read(_ text: String, now: Int64) -> Int64? {
        if let unit = text.last.flatMap({ ["m": 60, "h": 3_600, "d": 86_400, "w": 604_800][String($0)] }) {
            guard let number = Int64(text.dropLast()), (1...1_000_000).contains(number) else { return nil }
            return now + number * Int64(unit) * 1000
        }
        guard text.utf8.count == 10, let time = InstantText.milliseconds(text + "T00:00:00Z"), time > now else { return nil }
        return time
    }
}
