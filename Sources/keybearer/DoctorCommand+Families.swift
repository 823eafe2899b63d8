internal import Configuration
internal import Credentials
internal import Files
internal import JSON
internal import Sockets
internal import Tools

/// Every copy of a login on this machine, found by the hash of its refresh token: two programs that renew one login end it, and a copy of
/// one that has been renewed ends it when it is put back. Files are read and never shown or changed.
struct DoctorFamilies {
    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    var findings: [Finding] {
        let holders = LoginCopies(installation).all
        var tokens: [String] = []
        for fingerprint in holders.flatMap({ $0.tokens.keys.sorted() }) where !tokens.contains(fingerprint) { tokens.append(fingerprint) }
        return tokens.flatMap { fingerprint in judge(fingerprint, holders.filter { $0.tokens[fingerprint] != nil }) } + spent(holders)
    }

    /// What the holders of one token mean for each other.
    private func judge(_ fingerprint: String, _ holders: [LoginCopy]) -> [Finding] {
        let renewers = holders.filter { $0.kind != .copy }
        let copies = holders.filter { $0.kind == .copy && !$0.isUsual }
        let names = renewers.map { $0.name(of: fingerprint) }
        if renewers.count > 1 {
            let also = copies.isEmpty ? "" : "; copies of it are in \(copies.map(\.path).joined(separator: ", "))"
            return [
                Finding(
                    .problem, "shared-token",
                    "\(names.dropLast().joined(separator: ", ")) and \(names.last ?? "") hold the same refresh token: whichever refreshes "
                        + "first ends the other's login\(also)", advice: advice(fingerprint, renewers))
            ]
        }
        return copies.map { copy in
            let whose = names.first.map { "the login of \($0)" } ?? "a login that nothing here uses"
            return Finding(
                .note, "token-copy", "\(copy.path) is a copy of \(whose): put back after the next renewal, it would end the login",
                advice: copy.advice ?? "when it is not missed any more: rm \(copy.path)")
        }
    }

    /// What to do about several that renew one login: one of them owns it, the others borrow it or have their own.
    private func advice(_ fingerprint: String, _ renewers: [LoginCopy]) -> String {
        guard let ours = renewers.last(where: { $0.kind == .ours }), let id = ours.tokens[fingerprint] else {
            return "log in anew with all but one of them"
        }
        let agent = ours.agent.map { " --agent \($0)" } ?? ""
        let remove = "keybearer models auth logout \(id)\(agent)"
        guard let owner = renewers.lazy.compactMap(\.owner).first else { return "remove one: \(remove); then log in there anew" }
        return "leave it to \(owner.name): \(remove), then keybearer import \(owner.rawValue); or log in again here, so that each has a "
            + "session of its own"
    }

    // MARK: Tokens that were spent

    /// A program that holds a token which we have spent since: when it uses that, the provider ends the login.
    private func spent(_ holders: [LoginCopy]) -> [Finding] {
        LoginCopies(installation).spentTokens.flatMap { fingerprint, id in
            holders.filter { $0.kind == .theirs && $0.tokens[fingerprint] != nil }.map { holder in
                Finding(
                    .problem, "spent-token",
                    "\(holder.name(of: fingerprint)) holds a refresh token that \(id) has spent: using it ends the login of both",
                    advice: holder.owner.map { "log in with \($0.program) anew, before it renews its login" } ?? "log in there anew")
            }
        }
    }
}

/// A file with refresh tokens in it.
struct LoginCopy {
    enum Kind {
        /// A store of ours, which we renew.
        case ours
        /// Another program's, which that program renews.
        case theirs
        /// A file that no program reads by itself.
        case copy
    }

    let kind: Kind
    /// What a person calls its program.
    let program: String
    let path: String
    /// The program, where its login can be imported.
    var owner: LoginOwner?
    /// The agent, when it is not the default one.
    var agent: String?
    /// It follows the file that it is a copy of: nothing to speak of.
    var isUsual = false
    var advice: String?
    /// Whose each refresh token is, by its fingerprint; empty where the file does not say.
    let tokens: [String: String]

    func name(of fingerprint: String) -> String {
        guard kind == .ours else { return "\(program) (\(path))" }
        return (tokens[fingerprint] ?? "") + (agent.map { " (agent \($0))" } ?? "")
    }
}

/// The places where logins are kept.
struct LoginCopies {
    private let installation: Installation
    private let home: String?

    init(_ installation: Installation) {
        self.installation = installation
        home = Surroundings.current.home
    }

    /// All that hold a refresh token, ours first.
    var all: [LoginCopy] { (ours + tools + neighbours).filter { !$0.tokens.isEmpty } }

    /// Refresh tokens that profiles of ours have spent last, by fingerprint.
    var spentTokens: [String: String] {
        let agents = Agents(installation)
        var spent: [String: String] = [:]
        for id in agents.ids {
            let store = agents.store(id)
            for profile in (try? store.load())?.profiles ?? [] where profile.refresh != nil {
                guard let client = installation.settings.provider(profile.provider)?.oauth else { continue }
                let path = store.journalPath(of: Lane(client: client, profile: profile, agentID: id))
                guard PrivateFile.identity(of: path) != nil else { continue }
                do throws(FileError) {
                    guard let last = try RefreshJournal(path: path).lastIntent(), last.spent != profile.refresh?.fingerprint else {
                        continue
                    }
                    spent[last.spent] = profile.id
                } catch {
                    // A journal that cannot be read is told of where files are looked at.
                    continue
                }
            }
        }
        return spent
    }

    // MARK: Ours

    private var ours: [LoginCopy] {
        let agents = Agents(installation)
        return agents.ids.flatMap { id -> [LoginCopy] in
            let store = agents.store(id)
            let agent = id == agents.defaultID ? nil : id
            let own = (try? store.document()).map { Self.tokens(in: .object($0.root)) } ?? [:]
            let live = LoginCopy(kind: .ours, program: "Keybearer", path: store.profilesPath, agent: agent, tokens: own)
            let copies = Directory.names(in: store.directory).sorted().filter {
                AgentStore.keeps(fileNamed: $0) && !["auth-profiles.json", "auth-state.json"].contains($0)
            }
            let taken = store.adoptions().map { adoption, _ in
                LoginCopy(
                    kind: .copy, program: adoption.owner.name, path: adoption.backup,
                    advice: "give it back: keybearer import \(adoption.owner.rawValue) --undo; or let it go: rm \(adoption.backup)",
                    tokens: Self.tokens(inFile: adoption.backup))
            }
            return [live]
                + copies.map { name in
                    let path = "\(store.directory)/\(name)"
                    return LoginCopy(
                        kind: .copy, program: "Keybearer", path: path, isUsual: name.hasSuffix(".last-good"),
                        tokens: Self.tokens(inFile: path))
                } + taken
        }
    }

    // MARK: Other programs

    private var tools: [LoginCopy] {
        guard let home else { return [] }
        let environment = ProcessEnvironment.all
        var places: [(owner: LoginOwner?, program: String, path: String)] = LoginOwner.allCases.compactMap { owner in
            owner.path(home: home, environment: environment).map { (owner, ToolCatalogue.tool(owner.program)?.name ?? owner.name, $0) }
        }
        places += [
            (nil, "Gemini CLI", home + "/.gemini/oauth_creds.json"), (nil, "MiniMax", home + "/.minimax/oauth_creds.json"),
            (nil, "opencode", home + "/.local/share/opencode/auth.json"), (nil, "pi", home + "/.pi/agent/auth.json"),
        ]
        let adopted = Set(Agents(installation).ids.flatMap { Agents(installation).store($0).adoptions().map(\.adoption.backup) })
        return places.flatMap { place in
            [
                LoginCopy(
                    kind: .theirs, program: place.program, path: place.path, owner: place.owner, tokens: Self.tokens(inFile: place.path))
            ]
                + Self.copies(of: place.path).filter { !adopted.contains($0) }.map { path in
                    LoginCopy(kind: .copy, program: place.program, path: path, tokens: Self.tokens(inFile: path))
                }
        }
    }

    private var neighbours: [LoginCopy] {
        guard let home else { return [] }
        return [".openclaw", ".moltbot", ".clawdbot"].flatMap { self.neighbour("\(home)/\($0)", "OpenClaw", .moltbot) }
            + neighbour("\(home)/.keybearer", "another Keybearer", nil)
    }

    /// What is in a state directory that is not ours; of one that is, what we do not use of it.
    private func neighbour(_ folder: String, _ program: String, _ owner: LoginOwner?) -> [LoginCopy] {
        let isOurs = folder == installation.places.sink
        func found(_ kind: LoginCopy.Kind, _ path: String, isUsual: Bool = false) -> LoginCopy {
            LoginCopy(kind: kind, program: program, path: path, owner: owner, isUsual: isUsual, tokens: Self.tokens(inFile: path))
        }
        let agents = Directory.names(in: folder + "/agents").sorted().flatMap { agent -> [LoginCopy] in
            let store = AgentStore(sink: folder, agentID: agent)
            let json = store.profilesPath
            if let database = store.retiringDatabase { return [found(.theirs, database), found(.copy, json)] }
            guard !isOurs else { return [] }
            return [found(.theirs, json)] + Self.copies(of: json).map { found(.copy, $0, isUsual: $0.hasSuffix(".last-good")) }
        }
        let shared = found(.theirs, folder + "/state/openclaw.sqlite")
        return agents.filter { $0.path != shared.path } + [shared, found(.copy, folder + "/credentials/oauth.json")]
    }

    // MARK: Files

    /// What lies beside a file under its name with something behind it.
    private static func copies(of path: String) -> [String] {
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let (folder, name) = (String(path[..<slash]), String(path[path.index(after: slash)...]))
        return Directory.names(in: folder).sorted().filter { $0.hasPrefix(name + ".") && !$0.hasSuffix(".lock") }.map { "\(folder)/\($0)" }
    }

    private static func tokens(inFile path: String) -> [String: String] {
        guard PrivateFile.identity(of: path) != nil, let root = try? NeighbourLogins.root(at: path) else { return [:] }
        return tokens(in: root)
    }

    /// The fingerprints of all refresh tokens in a document, wherever in it they stand, with the name of the profile that holds each.
    private static func tokens(in root: Value) -> [String: String] {
        var found: [String: String] = [:]
        for (id, entry) in root["profiles"]?.object ?? [:] { collect(entry, of: id, into: &found) }
        collect(root, of: "", into: &found)
        return found
    }

    private static func collect(_ value: Value, of id: String, into found: inout [String: String]) {
        for element in value.array ?? [] { collect(element, of: id, into: &found) }
        for (name, member) in value.object ?? [:] {
            if names.contains(name), let secret = member.string.flatMap({ Secret($0) }), found[secret.fingerprint] == nil {
                found[secret.fingerprint] = id
            }
            collect(member, of: id, into: &found)
        }
    }

    private static let names: Set<String> = ["refresh", "refresh_token", "refreshToken"]
}
