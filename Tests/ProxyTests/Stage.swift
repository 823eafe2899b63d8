import Children
import Configuration
import Credentials
import Glibc
import JSON
import Logging
import Proxy
import Sockets
import Synchronization
import Testing

/// A running Server in front of a scripted provider and a scripted token endpoint, all on loopback, with a store of its own.
final class Stage: Sendable {
    let folder: TestFolder
    let placeholders: Placeholders
    let texts: [String: String]
    private let server: Server
    private let upstream: PlainSocket
    private let tokenEndpoint: PlainSocket
    /// Holds a port where every connection is refused.
    private let silent: PlainSocket
    private let failures = Mutex<[String]>([])
    private let signals = Mutex<Set<String>>([])
    private let isOver = Atomic(false)

    /// Starts the server. `settings`: JSON5, laid over settings that point every provider at the scripted upstream.
    init(
        settings: String = "", stores: [String: String] = [:], texts: [String: String] = [:], files: [String: String] = [:],
        keys: [String: String] = [:], origins: [String] = []
    ) throws {
        let (upstream, upstreamPort) = PlainSocket.bound()
        let (tokenEndpoint, tokenPort) = PlainSocket.bound()
        let (silent, closedPort) = PlainSocket.bound(isListening: false)
        let now = Clock.wall()
        folder = TestFolder()
        let known = Placeholders(
            upstreamPort: upstreamPort, tokenPort: tokenPort, closedPort: closedPort, proxyPort: 0, folder: folder.path, now: now)
        for (name, text) in files { _ = folder.put(known.expand(text), as: name) }
        let keyTexts = try Self.write(keys, origins, to: folder.path + "/clients.json", known)
        for (agent, text) in stores { folder.putStore(known.expand(text), of: agent) }
        server = try Server(
            settings: try Self.settings(settings, known), sink: folder.path, runner: Runner(executable: Self.executable),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            accessLog: folder.accessLogPath, clients: folder.path + "/clients.json")
        let proxyPort = server.addresses.first?.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        placeholders = Placeholders(
            upstreamPort: upstreamPort, tokenPort: tokenPort, closedPort: closedPort, proxyPort: proxyPort, folder: folder.path,
            now: now, keys: keyTexts)
        self.upstream = upstream
        self.tokenEndpoint = tokenEndpoint
        self.silent = silent
        self.texts = texts
    }

    /// Makes client keys of JSON5 texts of their policies; their texts by name.
    private static func write(
        _ keys: [String: String], _ origins: [String], to path: String, _ known: Placeholders
    ) throws -> [String: String] {
        guard !keys.isEmpty || !origins.isEmpty else { return [:] }
        var texts: [String: String] = [:]
        _ = try ClientBook.change(path) { book in
            book.origins = origins
            for (name, text) in keys.sorted(by: { $0.key < $1.key }) {
                let policy = try JSON5Reader.parse(Array(known.expand(text.isEmpty ? "{}" : text).utf8)).plain
                var key = ClientKey(id: "", name: name, code: [], shape: .plain, createdAt: 0)
                func list(_ member: String) -> [String] { policy[member]?.array?.compactMap(\.string) ?? [] }
                (key.providers, key.profiles, key.models) = (list("providers"), list("profiles"), list("models"))
                key.agent = policy["agent"]?.string
                key.expiresAt = policy["expiresAt"]?.int64
                key.rate = policy["rate"]?.string.flatMap { ClientKey.Rate($0) }
                key.budgetTokens = policy["budgetTokens"]?.int64
                if let shape = policy["shape"]?.string { key.shape = try #require(ClientKeyText.Shape(rawValue: shape)) }
                texts[name] = book.add(key, now: 0).text
            }
        }
        return texts
    }

    /// Changes the client keys as a command would, and waits until that holds.
    func changeClients(_ change: (inout ClientBook) throws -> Void) throws {
        let (book, _) = try ClientBook.change(folder.path + "/clients.json", change)
        for _ in 0..<400 {
            let socket = dial()
            socket.send(Array("GET /-/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
            if case .bytes(let bytes) = socket.receive(), String(decoding: bytes, as: UTF8.self).contains(book.digest) { return }
            Pause.milliseconds(10)
        }
        report("the change of the client keys does not hold")
    }

    private static func settings(_ text: String, _ known: Placeholders) throws -> Settings {
        let merged = try merge(known.expand(base), known.expand(text.isEmpty ? "{}" : text))
        return try Settings(file: SettingsText(path: "settings", bytes: merged))
    }

    /// Other settings while the server runs, laid over the same base.
    func reload(_ settings: String) throws {
        try server.reload(try Self.settings(settings, placeholders), environmentKeys: [])
    }

    /// The product beside the test bundle, which is what the runner is a process of.
    private static let executable: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        let bundle = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return bundle.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/keybearer"
    }()

    private static let base = """
        {
          listen: ["127.0.0.1:0"], workers: 1,
          timeouts: { drain: 0 },
          providers: {
            anthropic: { baseURL: "http://{{upstream}}", oauth: { tokenURL: "http://{{token-endpoint}}/oauth/token", clientID: "test-client" } },
            openai: { baseURL: "http://{{upstream}}" },
            "openai-codex": { baseURL: "http://{{upstream}}/codex", oauth: { tokenURL: "http://{{token-endpoint}}/oauth/token", clientID: "codex-client" } },
            google: { baseURL: "http://{{upstream}}" },
            "azure-openai": { baseURL: "http://{{upstream}}/azure" },
          },
        }
        """

    /// Objects member by member, everything else replaced.
    private static func merge(_ base: String, _ over: String) throws -> [UInt8] {
        func merged(_ base: Value, _ over: Value) -> Value {
            guard var members = base.object, let changes = over.object else { return over }
            for (name, value) in changes { members[name] = members[name].map { merged($0, value) } ?? value }
            return .object(members)
        }
        return Writer.compact(merged(try JSON5Reader.parse(Array(base.utf8)).plain, try JSON5Reader.parse(Array(over.utf8)).plain))
    }

    /// Ends the server and everything that waits.
    func end() {
        isOver.store(true, ordering: .relaxed)
        server.drain()
        server.waitUntilStopped()
    }
    /// Begins the server's orderly end.
    func drain() { server.drain() }
    /// True when all answers were sent before `timeouts.drain` was over.
    func waitUntilStopped() -> Bool { server.waitUntilStopped() }

    /// A connection to the proxy.
    func dial() -> PlainSocket { PlainSocket.connected(to: placeholders.proxyPort) }
    /// The next connection to the token endpoint.
    func acceptTokenRequest(within milliseconds: Int32 = PlainSocket.patience) -> PlainSocket? {
        tokenEndpoint.accepted(within: milliseconds)
    }
    /// The next connection that the proxy makes.
    func accept(within milliseconds: Int32 = PlainSocket.patience) -> PlainSocket? { upstream.accepted(within: milliseconds) }

    // MARK: What the parties tell each other

    func report(_ failure: String) { failures.withLock { $0.append(failure) } }
    var reported: [String] { failures.withLock { $0 } }

    func raise(_ signal: String) { signals.withLock { _ = $0.insert(signal) } }
    func waitFor(_ signal: String) -> Bool {
        for _ in 0..<(PlainSocket.patience / 5) {
            if signals.withLock({ $0.contains(signal) }) { return true }
            Pause.milliseconds(5)
        }
        return false
    }

    // MARK: A dialogue

    /// Plays all parts and gives back what went otherwise.
    func perform(_ file: ExchangeFile) -> [String] {
        let provider = serve(file.upstreams, on: upstream, called: "upstream")
        let tokens = serve(file.tokenEndpoints, on: tokenEndpoint, called: "token-endpoint")
        let background = Crew()
        for client in file.clients {
            let play: @Sendable () -> Void = {
                // Before there is a connection: a sanitizer makes a long text take longer than an idle one is kept.
                let script = client.expanded(by: self.placeholders)
                let socket = self.dial()
                var performer = Performer(script, on: socket, stage: self, isClient: true)
                performer.perform()
                // A client whose script is over has left; one that fails has closed already.
                socket.close()
            }
            if client.isInBackground { background.start(play) } else { play() }
        }
        background.join()
        isOver.store(true, ordering: .relaxed)
        provider.join()
        tokens.join()
        return reported
    }

    /// Gives the k-th connection to the k-th script; one too many or too few is a failure.
    private func serve(_ scripts: [ExchangeFile.Script], on listener: PlainSocket, called name: String) -> Crew {
        let crew = Crew()
        crew.start {
            for script in scripts.map({ $0.expanded(by: self.placeholders) }) {
                guard let socket = self.nextConnection(on: listener) else {
                    self.report("line \(script.line): the \(name) \(script.name) was not connected to")
                    continue
                }
                // Stays open until all is over, unless the script closes it.
                crew.keep(socket)
                crew.start {
                    var performer = Performer(script, on: socket, stage: self, isClient: false)
                    performer.perform()
                }
            }
            while let socket = self.nextConnection(on: listener) {
                guard case .bytes(let bytes) = socket.receive(within: 500) else { continue }
                self.report("one \(name) connection too many, with \(MessageReader.shown(bytes))")
            }
        }
        return crew
    }

    /// Waits until the dialogue is over and a moment longer, for what should not come.
    private func nextConnection(on listener: PlainSocket) -> PlainSocket? {
        while !isOver.load(ordering: .relaxed) { if let socket = listener.accepted(within: 20) { return socket } }
        return listener.accepted(within: 20)
    }
}

/// Threads of a dialogue, waited for together; the sockets of those that are done stay open until the crew goes.
final class Crew: Sendable {
    private let running = Atomic(0)
    private let sockets = Mutex<[PlainSocket]>([])

    func start(_ body: @escaping @Sendable () -> Void) {
        running.add(1, ordering: .acquiringAndReleasing)
        Thread(name: "party") {
            body()
            self.running.subtract(1, ordering: .acquiringAndReleasing)
        }.detach()
    }
    func keep(_ socket: PlainSocket) { sockets.withLock { $0.append(socket) } }
    func join() { while running.load(ordering: .acquiring) > 0 { Pause.milliseconds(2) } }
}
