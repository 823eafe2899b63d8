internal import Children
internal import Configuration
internal import Sockets

/// A socket that connections are accepted from, and what kind of door it is. Listens for as long as it lives.
final class Listener: Sendable {
    let socket: Descriptor
    let door: Caller.Door
    /// The address with the port that the kernel chose, or `unix:` and the path.
    let text: String
    /// The one that commands use.
    let isControl: Bool
    /// What connections are served with; nil: in clear.
    let identity: ListenerIdentity?
    private let path: String?

    /// Takes over a listening socket; `path`: the file to be removed with it.
    init(
        _ socket: consuming Descriptor, door: Caller.Door, text: String, path: String? = nil, isControl: Bool = false,
        identity: ListenerIdentity? = nil
    ) {
        self.socket = socket
        self.door = door
        self.text = text
        self.path = path
        self.isControl = isControl
        self.identity = identity
    }
    deinit {
        guard let path else { return }
        socket.stopListening()
        UnixSocket.remove(path)
    }
}

/// Opens the sockets of a start, all or none.
enum Listeners {
    /// The sockets of `settings.listen` and the control socket.
    ///
    /// - Throws: `StartError` for an address that cannot be had, naming who has it; also when the kernel would not tell who calls.
    static func open(
        _ settings: Settings, activated: [ServiceManager.ActivatedSocket], thereAreKeys: Bool, control: String?, runner: Runner?,
        log: EventLog
    ) throws(StartError) -> [Listener] {
        var open: [Listener] = []
        for socket in activated { open.append(try handedOver(socket)) }
        for address in activated.isEmpty ? settings.listen : [] {
            let identity = try address.tls.map { files throws(StartError) in try ListenerIdentity(files, of: address) }
            if let path = address.path {
                open.append(try unixSocket(path, identity))
            } else if let identity, !address.isLocal {
                open.append(try network(address, identity, thereAreKeys: thereAreKeys, log))
            } else if let listener = try loopback(address, identity, isOnly: settings.listen.count == 1, runner) {
                open.append(listener)
            }
        }
        for address in settings.insecureListen { open.append(try network(address, nil, thereAreKeys: thereAreKeys, log)) }
        if settings.clients.loopback == .sameUser, !thereAreKeys, open.contains(where: { $0.door == .loopback }), !PeerLookup().works() {
            throw StartError(
                description:
                    "this kernel does not tell who calls on a loopback port (sock_diag of netlink is missing), so that any user of this "
                    + "machine could spend your credentials: listen on a Unix socket (--listen unix:/path), make a client key "
                    + "(`keybearer clients add`), or, where you alone use the machine, set clients.loopback to \"any\"")
        }
        if let control, let listener = controlSocket(control, log) { open.append(listener) }
        return open
    }

    /// A socket that the service manager has opened; its file, if it has one, is the manager's to remove.
    private static func handedOver(_ socket: ServiceManager.ActivatedSocket) throws(StartError) -> Listener {
        let name = socket.name.isEmpty ? "" : " (\(socket.name))"
        switch socket.place {
        case .unix(let path): return Listener(Descriptor(owning: socket.number), door: .unixSocket, text: "unix:\(path)")
        case .tcp(let address) where address.isLoopback:
            return Listener(Descriptor(owning: socket.number), door: .loopback, text: address.description)
        case .tcp(let address): throw notLoopback("\(address)\(name)")
        case nil: throw StartError(description: "descriptor \(socket.number)\(name) of LISTEN_FDS is no TCP or Unix socket")
        }
    }

    /// An address beyond loopback, for client keys alone: over TLS, or without, because somebody insists.
    private static func network(
        _ address: ListenAddress, _ identity: ListenerIdentity?, thereAreKeys: Bool, _ log: EventLog
    ) throws(StartError) -> Listener {
        guard thereAreKeys else {
            throw StartError(
                description: "\(address) is open to the network, and there is no client key: make one first (`keybearer clients add NAME`)")
        }
        guard let place = SocketAddress(literal: address.host, port: address.port) else {
            throw StartError(description: "\(address) is no numeric address")
        }
        do throws(SocketError) {
            let socket = try TCP.listen(on: place)
            let text = TCP.localAddress(of: socket)?.description ?? address.description
            if identity == nil { log.insecure(text) } else { log.networked(text) }
            return Listener(socket, door: .network, text: identity == nil ? text : "https://\(text)", identity: identity)
        } catch {
            throw StartError(description: "\(error)")
        }
    }

    private static func notLoopback(_ address: String) -> StartError {
        StartError(
            description: "\(address) is not a loopback address; others are served with client keys alone, over TLS or by --insecure-listen")
    }

    /// Nil: this machine does not have the address, and another one serves.
    private static func loopback(_ address: ListenAddress, _ identity: ListenerIdentity?, isOnly: Bool, _ runner: Runner?)
        throws(StartError) -> Listener?
    {
        guard let place = SocketAddress(literal: address.host, port: address.port), place.isLoopback else {
            throw notLoopback("\(address)")
        }
        do throws(SocketError) {
            let socket = try TCP.listen(on: place)
            let text = TCP.localAddress(of: socket)?.description ?? address.description
            return Listener(socket, door: .loopback, text: identity == nil ? text : "https://\(text)", identity: identity)
        } catch {
            // A machine without IPv6 has no ::1; the other address serves.
            let isMissing = error.code == SystemError.addressNotAvailable || error.code == SystemError.familyNotSupported
            if place.isIPv6, isMissing, !isOnly { return nil }
            let owner = error.code == SystemError.addressInUse ? "; \(holder(of: address.port, runner)) has it" : ""
            throw StartError(description: "\(error)\(owner). End that, or choose another address with --listen")
        }
    }

    private static func holder(of port: UInt16, _ runner: Runner?) -> String {
        runner?.ask(.listener(port)).map { String(decoding: $0, as: UTF8.self) } ?? SocketHolder.describe(listenerOn: port)
    }

    private static func unixSocket(_ path: String, _ identity: ListenerIdentity?) throws(StartError) -> Listener {
        do throws(SocketError) {
            return Listener(try UnixSocket.listen(at: path), door: .unixSocket, text: "unix:\(path)", path: path, identity: identity)
        } catch {
            let advice =
                error.code == SystemError.fileExists
                ? "what is there is no socket; name another path" : "end who has it, or choose another path with --listen"
            throw StartError(description: "\(error); \(advice)")
        }
    }

    /// Nil, and a line in the log, when it cannot be had: requests are served all the same.
    private static func controlSocket(_ path: String, _ log: EventLog) -> Listener? {
        do throws(SocketError) {
            return Listener(try UnixSocket.listen(at: path), door: .unixSocket, text: "unix:\(path)", path: path, isControl: true)
        } catch {
            log.noControl(error.code == SystemError.addressInUse ? "another server with this state directory has it" : error.description)
            return nil
        }
    }
}
