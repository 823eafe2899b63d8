/// The person's browser, started on a page.
struct LoginBrowser {
    private let process: ChildProcess

    /// Opens `url` with `$BROWSER`, xdg-open, sensible-browser or wslview, whichever is there first; nil when none is.
    ///
    /// The address is an argument and so can be read by `ps`: it carries a challenge and a state, and no secret.
    init?(_ url: String, hiding: Set<String>, environment: [String: String] = ProcessEnvironment.all) {
        for command in Self.commands(url, browser: environment["BROWSER"]) {
            guard let program = ProcessEnvironment.program(command[0], path: environment["PATH"]) else { continue }
            if let process = ChildProcess(program, Array(command.dropFirst()), terminal: .none, hiding: hiding) {
                self.process = process
                return
            }
        }
        return nil
    }

    /// Whether it has ended, and said that it could not.
    var hasFailed: Bool { process.exitCode(waiting: false).map { $0 != 0 } ?? false }

    /// What to try, best first. `$BROWSER` is a list of commands between colons, in which `%s` stands for the address (browser(1)
    /// conventions); it goes through no shell.
    static func commands(_ url: String, browser: String?) -> [[String]] {
        let wished = (browser ?? "").split(separator: ":").map { command in
            let words = command.split(separator: " ").map(String.init)
            guard words.contains(where: { $0.contains("%s") }) else { return words + [url] }
            return words.map { $0.replacing("%s", with: url) }
        }
        return wished.filter { $0.count > 1 || $0.first != url } + ["xdg-open", "sensible-browser", "wslview"].map { [$0, url] }
    }
}
