internal import Credentials
internal import Files
internal import Glibc
internal import JSON
internal import Sockets

/// What `lstat` says of one path.
struct PathStatus {
    let path: String
    let mode: mode_t
    let isOurs: Bool
    /// ms since 1970.
    let modified: Int64

    /// nil when there is nothing.
    init?(_ path: String) {
        var info = stat()
        guard unsafe lstat(path, &info) == 0 else { return nil }
        self.path = path
        mode = info.st_mode
        isOurs = info.st_uid == geteuid()
        modified = Int64(info.st_mtim.tv_sec) * 1000 + Int64(info.st_mtim.tv_nsec) / 1_000_000
    }

    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    var isFile: Bool { mode & S_IFMT == S_IFREG }
    var isLink: Bool { mode & S_IFMT == S_IFLNK }
    /// Whether group or others may do anything with it.
    var isOpen: Bool { !isLink && mode & 0o077 != 0 }
    var octal: String { "0" + String(mode & 0o777, radix: 8) }
}

/// The modes of files that hold secrets, as they were before anything was read.
struct DoctorModes {
    private let seen: [PathStatus]

    /// Looks at every folder that could turn out to be the one in use.
    static func look(_ options: GlobalOptions) -> DoctorModes {
        let surroundings = Surroundings.current
        let variables = ["KEYBEARER_STATE_DIR", "OPENCLAW_STATE_DIR", "MOLTBOT_STATE_DIR", "CLAWDBOT_STATE_DIR"]
        var folders = [options.stateDirectory].compactMap(\.self) + variables.compactMap { surroundings.environment[$0] }
        folders += [".keybearer", ".openclaw", ".moltbot", ".clawdbot"].compactMap { name in surroundings.home.map { "\($0)/\(name)" } }
        let absolute = folders.map { $0.hasPrefix("/") ? $0 : "\(surroundings.currentDirectory)/\($0)" }
        return DoctorModes(seen: absolute.flatMap(secretPlaces))
    }

    /// What in a state directory has to be closed to others.
    private static func secretPlaces(_ folder: String) -> [PathStatus] {
        var paths = [folder, folder + "/keybearer", folder + "/keybearer/locks", folder + "/keybearer/journal", folder + "/logs"]
        paths += Directory.names(in: folder + "/keybearer/journal").map { "\(folder)/keybearer/journal/\($0)" }
        for agent in Directory.names(in: folder + "/agents").sorted() {
            let directory = "\(folder)/agents/\(agent)/agent"
            paths.append(directory)
            paths += Directory.names(in: directory).filter { $0.hasPrefix("auth") && !$0.hasSuffix(".lock") }.sorted().map {
                "\(directory)/\($0)"
            }
        }
        return paths.compactMap(PathStatus.init)
    }

    /// What of it is open, or another's, in the folders that are in use.
    func findings(in installation: Installation) -> [Finding] {
        let places = installation.places
        return seen.filter { status in
            // A neighbour's state directory itself is its own business; the agents' folders in it hold our common secrets.
            if status.path == places.sink, places.sink != places.stateDirectory { return false }
            return [places.stateDirectory, places.sink].contains { status.path == $0 || status.path.hasPrefix($0 + "/") }
        }.flatMap(Self.judge)
    }

    private static func judge(_ status: PathStatus) -> [Finding] {
        guard status.isOurs else {
            let message = "\(status.path) belongs to another user, who can read or replace what is in it"
            return [
                Finding(.problem, "wrong-owner", message, advice: "run Keybearer as its owner, or: sudo chown \(geteuid()) \(status.path)")
            ]
        }
        guard status.isOpen else { return [] }
        let isClosed = PathStatus(status.path).map { !$0.isOpen } ?? true
        if isClosed {
            return [
                Finding(
                    .warning, "was-open", "\(status.path) had mode \(status.octal), open to other users; reading it has closed it just now",
                    advice: "if others use this machine, replace the credentials that were in it")
            ]
        }
        let mode = status.isDirectory ? "700" : "600"
        return [
            Finding(
                .problem, "open-to-others", "\(status.path) has mode \(status.octal), open to other users",
                advice: "chmod \(mode) \(status.path)",
                fix: {
                    if status.isDirectory { _ = try PrivateDirectory.ensure(status.path) } else { _ = try PrivateFile.read(status.path) }
                })
        ]
    }
}

/// What is left lying about: locks, temporary files, copies of broken files; and stores that are not ours to use.
struct DoctorFiles {
    private let installation: Installation
    private let now = Clock.wall()

    /// As long as neighbours take a lock for live (spec/credential-formats.md §2).
    private static let lockLife: Int64 = 30_000

    init(_ installation: Installation) { self.installation = installation }

    var findings: [Finding] {
        let agents = Agents(installation)
        let stores = agents.ids.map(agents.store)
        return stores.flatMap(lock) + temporaries(stores) + stores.flatMap(copies) + ownLocks() + databases(stores)
    }

    /// The lock that Moltbot and OpenClaw make beside the store: a directory in the old form, a file in the new one.
    private func lock(_ store: AgentStore) -> [Finding] {
        guard let status = PathStatus(store.profilesPath + ".lock"), now - status.modified > Self.lockLife else { return [] }
        let age = ExpiryText.span(now - status.modified)
        if status.isDirectory {
            return [
                Finding(
                    .warning, "stale-lock",
                    "\(status.path) is a lock of Moltbot's old form (a folder), left \(age) ago; a newer OpenClaw "
                        + "cannot take it away, and waits for it without end",
                    advice: "if no Moltbot and no OpenClaw runs: rmdir \(status.path)", fix: { try takeAway(status.path, store) })
            ]
        }
        guard !isHeld(status.path) else { return [] }
        return [
            Finding(
                .warning, "stale-lock",
                "\(status.path) is a lock of OpenClaw's form (a file), left \(age) ago by a process that is gone; an "
                    + "older Moltbot cannot take it away",
                advice: "if no Moltbot and no OpenClaw runs: rm \(status.path)", fix: { try takeAway(status.path, store) })
        ]
    }

    /// By the rules of the lock's own protocol alone: one that they hold for live stays.
    private func takeAway(_ path: String, _ store: AgentStore) throws {
        store.removeLeftoverLocks()
        guard PathStatus(path) != nil else { return }
        throw Failure.failed("by the rules of its owner it may still be held")
    }

    /// Whether the process that a lock file names still lives.
    private func isHeld(_ path: String) -> Bool {
        guard let bytes = (try? TrustedFile.read(path, limit: 4096)) ?? nil, let id = (try? Reader.parse(bytes))?["pid"]?.int64 else {
            return false
        }
        return kill(pid_t(truncatingIfNeeded: id), 0) == 0 || errno == EPERM
    }

    /// Our own lock files are files; whatever else has their name keeps every refresh from happening.
    private func ownLocks() -> [Finding] {
        let folder = installation.store.locksDirectory
        return Directory.names(in: folder).sorted().compactMap { PathStatus("\(folder)/\($0)") }.filter {
            !$0.isFile && $0.path.hasSuffix(".lock")
        }.map {
            Finding(
                .problem, "wrong-lock", "\($0.path) is not a file, so that no lock can be taken on it",
                advice: "move it away: mv \($0.path) /tmp")
        }
    }

    /// What a process left that was killed while it replaced a file: it may hold secrets.
    private func temporaries(_ stores: [AgentStore]) -> [Finding] {
        let folders =
            stores.map(\.directory) + [
                installation.places.stateDirectory, installation.store.locksDirectory, installation.store.journalDirectory,
            ]
        return folders.flatMap { folder in
            Directory.names(in: folder).filter { $0.hasSuffix(".keybearer-tmp") }.sorted().compactMap { PathStatus("\(folder)/\($0)") }
        }
        // A replacement takes milliseconds; a minute is beyond any that is under way.
        .filter { $0.isFile && now - $0.modified > 60_000 }.map { status in
            Finding(
                .warning, "stale-temporary",
                "\(status.path) was left by a process that was killed \(ExpiryText.span(now - status.modified)) ago",
                advice: "rm \(status.path)",
                fix: {
                    guard unsafe unlink(status.path) == 0 || errno == ENOENT else {
                        throw Failure.failed("\(status.path): \(BackgroundServer.errorText())")
                    }
                })
        }
    }

    private func copies(_ store: AgentStore) -> [Finding] {
        Directory.names(in: store.directory).filter { $0.contains(".corrupt-") }.sorted().map { name in
            Finding(
                .note, "kept-copy", "\(store.directory)/\(name) is a copy of a file that could not be read; it may hold secrets",
                advice: "when nothing in it is missed any more: rm \(store.directory)/\(name)")
        }
    }

    /// OpenClaw's move to SQLite makes the JSON beside it stale.
    private func databases(_ stores: [AgentStore]) -> [Finding] {
        var findings = stores.compactMap { store in store.retiringDatabase.map { (store, $0) } }.map { store, database in
            Finding(
                .problem, "sqlite",
                "OpenClaw keeps the logins of \(store.agentID) in \(database), and the JSON in \(store.directory) is stale",
                advice: "let Keybearer have credentials of its own: unset sink and OPENCLAW_STATE_DIR, then log in")
        }
        let home = Surroundings.current.home ?? ""
        let neighbours = [".openclaw", ".moltbot", ".clawdbot"].map { "\(home)/\($0)" }.filter { $0 != installation.places.sink }
        for folder in neighbours {
            for agent in Directory.names(in: folder + "/agents").sorted() where AgentStore(sink: folder, agentID: agent).isRetired {
                findings.append(
                    Finding(
                        .note, "sqlite-neighbour",
                        "OpenClaw keeps the logins of \(agent) in \(folder) in SQLite; Keybearer does not share them",
                        advice: "log in to Keybearer as well, with an account's session of its own"))
            }
        }
        return findings
    }
}
