internal import CLinux
internal import Glibc

/// Who holds the other end of a connection on this machine, as the kernel tells it.
public struct SocketOwner: Sendable, Equatable {
    /// The effective user who made the socket.
    public let user: UInt32
    /// The process that connected (`SO_PEERCRED`); nil for TCP, where only `inode` leads to it.
    public let process: Int32?
    /// The socket's inode (TCP), by which ``SocketHolder`` finds the process; 0 for a Unix socket.
    public let inode: UInt32

    /// An owner from what the kernel told.
    public init(user: UInt32, process: Int32? = nil, inode: UInt32 = 0) {
        self.user = user
        self.process = process
        self.inode = inode
    }

    /// The user that stands for one whom this user namespace cannot name (`/proc/sys/kernel/overflowuid`).
    public static let unmappedUser: UInt32 = 65534
}

/// Asks the kernel who holds the other end of a connection: `sock_diag(7)` by the exact addresses for TCP on loopback, `SO_PEERCRED` for
/// Unix sockets. One thread's own.
public struct PeerLookup: ~Copyable {
    private let diag: Descriptor

    /// Opens the kernel's door; without it every TCP caller is unknown.
    public init() { diag = Descriptor(owning: kb_diag_socket()) }

    /// The owner of the other end of the accepted TCP connection `fd`. Nil is unknown, which is nobody: the socket is gone (its owner
    /// closed it, inode 0), belongs to a user whom our namespace cannot name, is on another machine, or the kernel does not say.
    public borrowing func owner(ofTCP fd: Int32) -> SocketOwner? {
        var near = sockaddr_storage()
        var far = sockaddr_storage()
        var nearSize = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var farSize = nearSize
        guard unsafe kb_local_address(fd, &near, &nearSize) == 0, unsafe kb_peer_address(fd, &far, &farSize) == 0 else { return nil }
        var user: UInt32 = 0
        var inode: UInt32 = 0
        // The caller's socket is ours seen from the other side.
        guard unsafe kb_tcp_owner(diag.number, &far, &near, &user, &inode) == 0 else { return nil }
        // A socket without an owner is shown as root's: that is how a caller looks who has closed already.
        guard inode != 0, user != SocketOwner.unmappedUser else { return nil }
        return SocketOwner(user: user, inode: inode)
    }

    /// The process and user that connected to the accepted Unix connection `fd`.
    public static func owner(ofUnix fd: Int32) -> SocketOwner? {
        var peer = kb_credentials()
        guard unsafe kb_unix_peer(fd, &peer) == 0, peer.user != SocketOwner.unmappedUser else { return nil }
        return SocketOwner(user: peer.user, process: peer.process > 0 ? peer.process : nil)
    }

    /// Whether the kernel answers at all: asked about a connection of our own, since a kernel without `inet_diag` says the same as one
    /// that does not find the socket.
    public borrowing func works() -> Bool {
        guard let loopback = SocketAddress(literal: "127.0.0.1", port: 0), let listener = try? TCP.listen(on: loopback, backlog: 1),
            let address = TCP.localAddress(of: listener), case .started(let caller) = TCP.dial(address)
        else { return false }
        var wait = pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wait, 1, 1_000) == 1 else { return false }
        let accepted = Descriptor(owning: TCP.accept(from: listener).socket)
        defer { withExtendedLifetime(caller.number) {} }
        return owner(ofTCP: accepted.number)?.user == geteuid()
    }
}
