internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON

extension ClientsCommand {
    /// `keybearer clients allow-origin`
    struct AllowOrigin: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "allow-origin",
            abstract: "Admit a web page or desktop program by its exact origin.",
            discussion: """
                Every script of that origin can spend your credentials. The refusal of a page names its origin; `null` cannot be admitted, \
                since every sandboxed page and every file has it.

                EXAMPLES
                  keybearer clients allow-origin app://obsidian.md
                  keybearer clients allow-origin https://chat.example.com
                """)

        @Argument(help: ArgumentHelp("The origin: scheme, host, and port where it has one.", valueName: "origin"))
        var origin: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            guard PageOrigin.isAdmissible(origin) else {
                throw ValidationError(
                    "An origin is a scheme, a host and perhaps a port, in lower case and with nothing behind it: https://chat.example.com, "
                        + "app://obsidian.md. Of an address in a browser it is the part before the path.")
            }
        }

        func run() throws {
            let installation = try Installation(options)
            try installation.changeClients { book in
                if !book.origins.contains(origin) { book.origins.append(origin) }
            }
            if json { return Output.json(["origin": .string(origin), "admitted": true]) }
            Output.line("admitted \(origin)")
        }
    }

    /// `keybearer clients deny-origin`
    struct DenyOrigin: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "deny-origin",
            abstract: "Admit a page no longer.",
            discussion: """
                EXAMPLES
                  keybearer clients deny-origin app://obsidian.md
                """)

        @Argument(help: ArgumentHelp("The origin.", valueName: "origin"))
        var origin: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            try installation.changeClients { book in
                guard book.origins.contains(origin) else {
                    let inSettings = installation.settings.gate.origins.contains(origin)
                    throw Failure.failed(
                        inSettings
                            ? "\(origin) is admitted by gate.origins in \(installation.settingsPath); take it out there"
                            : "\(origin) is not admitted; `keybearer clients list` shows those that are")
                }
                book.origins.removeAll { $0 == origin }
            }
            if json { return Output.json(["origin": .string(origin), "admitted": false]) }
            Output.line("admitted no longer: \(origin)")
        }
    }
}
