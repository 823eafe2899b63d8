internal import Configuration
internal import Credentials
internal import Files
internal import Glibc
internal import Sockets

/// The server that tools on this machine are pointed at.
struct LocalServer {
    let address: ListenAddress

    init(_ address: ListenAddress) { self.address = address }

    /// Who answers at an address.
    enum Health: Equatable {
        /// A Keybearer with this state directory.
        case ours
        /// A Keybearer with another one: other credentials.
        case anotherKeybearer
        /// Something that is no Keybearer.
        case stranger
        case nobody
    }

    /// How long a server may take to answer after its start: it binds within milliseconds, on a machine that is not overloaded.
    private static let patience = Duration.seconds(15)

    /// Who answers now. Keybearer's answers carry a field that others' don't: the request's name, which its access log then holds.
    func health(of installation: Installation) -> Health {
        switch answer(within: .seconds(3)) {
        case .nobody: .nobody
        case .stranger: .stranger
        case .request(let id):
            AccessLogTail(stateDirectory: installation.places.stateDirectory).holds(id) ? .ours : .anotherKeybearer
        }
    }

    private enum Answer {
        /// The name that Keybearer gave to the request.
        case request(String)
        case stranger
        case nobody
    }

    private func answer(within limit: Duration) -> Answer {
        guard let place = SocketAddress(literal: address.host, port: address.port) else { return .nobody }
        guard case .started(let socket) = TCP.dial(place) else { return .nobody }
        let deadline = ContinuousClock.now + limit
        guard Self.wait(for: POLLOUT, on: socket, until: deadline), TCP.outcome(of: socket) == 0 else { return .nobody }
        let request = "GET /-/healthz HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n"
        let sent = unsafe Array(request.utf8).withUnsafeBytes {
            unsafe socket.send($0.baseAddress.unsafelyUnwrapped, count: $0.count)
        }
        guard case .moved = sent else { return .stranger }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while answer.count < 64 << 10, Self.wait(for: POLLIN, on: socket, until: deadline) {
            let received = unsafe buffer.withUnsafeMutableBytes {
                unsafe socket.receive(into: $0.baseAddress.unsafelyUnwrapped, capacity: $0.count)
            }
            guard case .moved(let count) = received else { break }
            answer += buffer[..<count]
        }
        let name = "\r\nkeybearer-request-id: "
        let text = String(decoding: answer, as: UTF8.self).lowercased()
        guard let start = text.firstRange(of: name)?.upperBound else { return .stranger }
        return .request(String(text[start...].prefix { $0.isHexDigit }))
    }

    private static func wait(for event: Int32, on socket: borrowing Descriptor, until deadline: ContinuousClock.Instant) -> Bool {
        let left = (deadline - .now) / .milliseconds(1)
        var entry = pollfd(fd: socket.number, events: Int16(event), revents: 0)
        guard left > 0 else { return false }
        return unsafe poll(&entry, 1, Int32(left)) == 1
    }

    /// Starts a server unless one answers, and waits until it does.
    func ensureRunning(_ installation: Installation, _ options: GlobalOptions) throws {
        if try isRunning(installation) { return }
        // Of several commands at once one starts it, and the others find it running.
        let folder = installation.places.stateDirectory + "/run"
        _ = try PrivateDirectory.ensure(installation.places.stateDirectory)
        _ = try PrivateDirectory.ensure(folder)
        let lock = try FileLock.acquire(folder + "/start.lock", timeout: Self.patience + Self.patience)
        defer { withExtendedLifetime(lock) {} }
        if try isRunning(installation) { return }
        try start(installation, options)
    }

    private func isRunning(_ installation: Installation) throws -> Bool {
        switch health(of: installation) {
        case .ours: return true
        case .nobody: return false
        case .anotherKeybearer:
            throw Failure.failed(
                "a Keybearer with another state directory, and so with other credentials, answers at \(address); end it, or set `listen` in "
                    + "\(installation.settingsPath)")
        case .stranger:
            throw Failure.failed(
                "another program answers at \(address) (`keybearer doctor` says which); end it, or set `listen` in "
                    + "\(installation.settingsPath)")
        }
    }

    private func start(_ installation: Installation, _ options: GlobalOptions) throws {
        let log = try BackgroundServer.prepareLog(in: installation.places.stateDirectory)
        let id = try BackgroundServer.start(options, log: log)
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline, kill(id, 0) == 0 {
            if health(of: installation) == .ours {
                return Output.error("keybearer: started the server at http://\(address) (process \(id), log \(log)); it stays")
            }
            Pause.milliseconds(20)
        }
        throw Failure.failed("the server did not start: \(BackgroundServer.lastWords(log))")
    }
}

/// The end of a server's access log. Whoever writes a request's name there works with that state directory.
private struct AccessLogTail {
    private let path: String

    init(stateDirectory: String) { path = stateDirectory + "/logs/access.jsonl" }

    /// Whether the request is there, or comes: a server hands its lines over four times a second, and a busy disk takes its time.
    func holds(_ id: String) -> Bool {
        let deadline = ContinuousClock.now + .seconds(3)
        while !text.contains(id) {
            guard ContinuousClock.now < deadline else { return false }
            Pause.milliseconds(10)
        }
        return true
    }

    /// The last 64 KiB: hundreds of requests.
    private var text: String {
        guard let stream = unsafe fopen(path, "re") else { return "" }
        defer { unsafe fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        // A shorter log is read from its start, where the stream stands anyway.
        unsafe fseek(stream, -bytes.count, SEEK_END)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, stream) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
