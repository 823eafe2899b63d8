internal import CLinux
internal import Glibc

/// A system call on a socket that failed.
public struct SocketError: Error, Sendable, CustomStringConvertible {
    /// What was being done, e.g. `bind 127.0.0.1:5392`.
    public let operation: String
    /// The system's error number.
    public let code: Int32

    /// One sentence with the system's words for the error.
    public var description: String { "\(operation): \(unsafe String(cString: strerror(code)))" }
}

/// Listening and dialling.
public enum TCP {
    /// A non-blocking listening socket on `address`; an IPv6 one takes IPv6 only, so that both families can be bound side by side.
    public static func listen(on address: SocketAddress, backlog: Int32 = 4096) throws(SocketError) -> Descriptor {
        let socket = Descriptor(owning: kb_stream_socket(address.isIPv6 ? AF_INET6 : AF_INET))
        guard socket.number >= 0 else { throw SocketError(operation: "socket for \(address)", code: kb_errno()) }
        _ = kb_option(socket.number, SOL_SOCKET, SO_REUSEADDR, 1)
        if address.isIPv6 { _ = kb_option(socket.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        var (storage, size) = address.storage
        guard unsafe kb_bind(socket.number, &storage, size) == 0 else {
            throw SocketError(operation: "listen on \(address)", code: kb_errno())
        }
        guard Glibc.listen(socket.number, backlog) == 0 else { throw SocketError(operation: "listen on \(address)", code: kb_errno()) }
        return socket
    }

    /// What came of starting to dial.
    public enum Dialled: ~Copyable {
        /// Under way: writable means decided, then ask `outcome(of:)`.
        case started(Descriptor)
        /// Refused at once; `errno`.
        case failed(Int32)
    }

    /// Starts a connection; never blocks. Small writes leave at once, and a silent peer is noticed by keep-alive probes.
    public static func dial(_ address: SocketAddress, keepAlive seconds: Int32 = 30) -> Dialled {
        let number = kb_stream_socket(address.isIPv6 ? AF_INET6 : AF_INET)
        guard number >= 0 else { return .failed(kb_errno()) }
        let socket = Descriptor(owning: number)
        _ = kb_option(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        _ = kb_option(number, SOL_SOCKET, SO_KEEPALIVE, 1)
        _ = kb_option(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, seconds)
        _ = kb_option(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, seconds / 3)
        _ = kb_option(number, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        var (storage, size) = address.storage
        if unsafe kb_connect(number, &storage, size) != 0 {
            let code = kb_errno()
            guard code == EINPROGRESS else { return .failed(code) }
        }
        return .started(socket)
    }

    /// 0 once connected, else `errno` of the dial that failed.
    public static func outcome(of socket: borrowing Descriptor) -> Int32 { kb_pending_error(socket.number) }

    /// The next waiting connection, non-blocking; nil with `errno` when there is none to be had.
    public static func accept(from listener: borrowing Descriptor) -> (socket: Int32, code: Int32) {
        let number = kb_accept(listener.number)
        guard number >= 0 else { return (-1, kb_errno()) }
        _ = kb_option(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        return (number, 0)
    }

    /// The address a socket is bound to (which port the kernel chose for 0).
    public static func localAddress(of socket: borrowing Descriptor) -> SocketAddress? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard unsafe kb_local_address(socket.number, &storage, &size) == 0 else { return nil }
        return SocketAddress(storage)
    }
}

/// The system's words for an error number.
public enum SystemError {
    /// e.g. `Connection refused` for 111.
    public static func text(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

extension SystemError {
    /// The host has no such address (EADDRNOTAVAIL).
    public static var addressNotAvailable: Int32 { EADDRNOTAVAIL }
    /// This process has as many descriptors as it may (EMFILE).
    public static var tooManyDescriptors: Int32 { EMFILE }
    /// Another socket has the address (EADDRINUSE).
    public static var addressInUse: Int32 { EADDRINUSE }
    /// Something stands at the path (EEXIST).
    public static var fileExists: Int32 { EEXIST }
    /// The kernel does not speak this family (EAFNOSUPPORT).
    public static var familyNotSupported: Int32 { EAFNOSUPPORT }
}
