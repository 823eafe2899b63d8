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

    /// Who answers now: the server of our state directory says on its control socket where it serves; another Keybearer is known by the
    /// field that all our answers carry.
    func health(of installation: Installation) -> Health {
        let own = ControlClient(stateDirectory: installation.places.stateDirectory, timeout: .seconds(3)).status
        if let own, own.addresses.contains(address.description) { return .ours }
        return stranger(within: .seconds(3))
    }

    private func stranger(within limit: Duration) -> Health {
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
        let isKeybearer = String(decoding: answer, as: UTF8.self).lowercased().contains("\r\nkeybearer-request-id: ")
        return isKeybearer ? .anotherKeybearer : .stranger
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
        let lock = try Waiting.show("Waiting for another command that starts the server") { () throws(FileError) in
            try FileLock.acquire(folder + "/start.lock", timeout: Self.patience + Self.patience)
        }
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
        guard Waiting.show("Waiting for the server to start", { isUp(id, installation) }) else {
            throw Failure.failed("the server did not start: \(BackgroundServer.lastWords(log))")
        }
        Output.error("keybearer: started the server at http://\(address) (process \(id), log \(log)); it stays")
    }
}

extension LocalServer {
    /// Waits until the server that was started as process `id` answers; false when it has ended, or takes too long.
    private func isUp(_ id: pid_t, _ installation: Installation) -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline, kill(id, 0) == 0 {
            if health(of: installation) == .ours { return true }
            Pause.milliseconds(20)
        }
        return false
    }
}
