internal import Configuration
internal import Credentials
internal import Files
internal import Proxy
internal import Sockets
internal import Synchronization

/// Reads the settings of a running server again: when it is told to, and when their files change. What is wrong changes nothing, and is
/// said in the log and in `/-/status`.
final class SettingsReload: Sendable {
    /// What the files held, as far as there are any that may be read.
    private typealias Texts = [String: [UInt8]]
    private struct State: Sendable {
        var installation: Installation
        var texts: Texts
    }
    private let load: @Sendable () throws -> Installation
    private let server: Server
    private let manager: ServiceManager?
    private let state: Mutex<State>
    /// One at a time: the last one that was read is the one in force.
    private let taking = Mutex(())

    /// How long a file is let be written before it is read: an editor writes it in several steps.
    private static let settleTime = Duration.milliseconds(100)

    init(
        _ options: GlobalOptions, _ overrides: SettingsOverrides, _ installation: Installation, _ server: Server,
        _ manager: ServiceManager?
    ) {
        load = { try Installation(options, overrides: overrides) }
        self.server = server
        self.manager = manager
        state = Mutex(State(installation: installation, texts: Self.texts(installation)))
    }

    /// The installation by the settings in force.
    var installation: Installation { state.withLock { $0.installation } }

    /// Reads them now.
    func take() {
        taking.withLock { _ in
            manager?.reloading()
            let texts = Self.texts(installation)
            do {
                let read = try load()
                try server.reload(read.settings, environmentKeys: read.environmentKeys)
                state.withLock { $0 = State(installation: read, texts: texts) }
                manager?.ready("serving on \(server.addresses.joined(separator: ", "))")
            } catch {
                state.withLock { $0.texts = texts }
                // The server has told of what it refused itself.
                if !(error is StartError) { server.refuseReload(Failure(error)?.description ?? "\(error)") }
                manager?.ready("the settings are wrong; serving by the last ones")
            }
        }
    }

    // MARK: Files that change

    /// Watches the files from now on, on a thread of its own.
    func watch() {
        Thread(name: "kb-settings") {
            let watch = DirectoryWatch(Self.folders(self.installation))
            // What changed before there was a watch was reported to nobody.
            self.takeChanges()
            while true {
                guard !watch.wait(timeout: .seconds(3600)).isEmpty else { continue }
                _ = watch.wait(timeout: Self.settleTime)
                Pause.milliseconds(50)
                _ = watch.wait(timeout: .zero)
                self.takeChanges()
                for folder in Self.folders(self.installation) { watch.add(folder) }
            }
        }.detach()
    }

    private func takeChanges() {
        let (installation, before) = state.withLock { ($0.installation, $0.texts) }
        let now = Self.texts(installation)
        guard now != before else { return }
        let path = installation.settingsPath
        if before[path] != nil, now[path] == nil, PrivateFile.realPath(of: path) == nil {
            state.withLock { $0.texts = now }
            // Without it the defaults would be in force: that has to be meant.
            return server.refuseReload("\(path) is gone; SIGHUP makes the defaults hold")
        }
        take()
    }

    private static func texts(_ installation: Installation) -> Texts {
        var texts: Texts = [:]
        texts[installation.settingsPath] = (try? TrustedFile.read(installation.settingsPath)) ?? nil
        for path in Installation.providerFiles(in: installation.places.stateDirectory) {
            // One that may not be read is there all the same: that it goes is a change.
            texts[path] = ((try? TrustedFile.read(path)) ?? nil) ?? [0]
        }
        return texts
    }

    /// Where the files are, and where they really are when they are links.
    private static func folders(_ installation: Installation) -> [String] {
        let files = [installation.settingsPath] + Installation.providerFiles(in: installation.places.stateDirectory)
        let folders = (files + files.compactMap { PrivateFile.realPath(of: $0) }).compactMap { path in
            path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
        }
        return Set(folders + [installation.places.stateDirectory + "/providers"]).sorted()
    }
}
