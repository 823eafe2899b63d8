internal import CLinux
internal import Glibc

/// The service manager that started this process, if one did (sd_notify(3), sd_listen_fds(3)): it is told how the service stands, and may
/// have opened the sockets. No library is needed: it is a datagram, and three variables.
public struct ServiceManager: Sendable {
    private let address: String

    /// A socket that the manager has opened, listening, now ours to close.
    public struct ActivatedSocket: Sendable {
        /// The descriptor; closed on exec, non-blocking.
        public let number: Int32
        /// What the unit calls it (`FileDescriptorName=`); empty when it has no name.
        public let name: String
    }

    /// Takes `NOTIFY_SOCKET` out of the environment, so that no child can speak for the service. Nil: nobody wants to be told.
    /// Before the first thread: the environment is not safe to change later.
    public static func takeFromEnvironment() -> ServiceManager? {
        defer { unsafe unsetenv("NOTIFY_SOCKET") }
        guard let value = unsafe getenv("NOTIFY_SOCKET") else { return nil }
        return ServiceManager(address: unsafe String(cString: value))
    }

    /// - Parameter address: a path, or `@` and the name of an abstract socket.
    init?(address: String) {
        guard address.hasPrefix("/") || address.hasPrefix("@"), address.utf8.count > 1 else { return nil }
        self.address = address
    }

    /// It serves. `status`: a line for `systemctl status`.
    public func ready(_ status: String) { send("READY=1\nSTATUS=\(Self.line(status))") }
    /// It reads its settings again; `ready` ends that.
    public func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(kb_clock_microseconds(CLOCK_MONOTONIC))") }
    /// It has been told to end.
    public func stopping() { send("STOPPING=1") }

    private static func line(_ text: String) -> String { text.replacing("\n", with: " ") }

    /// Never blocks: a manager that does not read is not waited for.
    private func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe kb_notify(address, address.utf8.count, bytes, bytes.count)
    }

    // MARK: Sockets

    /// The sockets that were opened for this very process; none for another one's (`LISTEN_PID`). The variables are gone then. Before the
    /// first thread, and before any descriptor is opened or handed on.
    ///
    /// - Throws: why what was handed over cannot be listened on.
    public static func takeSockets() throws(SocketError) -> [ActivatedSocket] {
        let process = variable("LISTEN_PID").flatMap { pid_t($0) }
        let count = variable("LISTEN_FDS").flatMap { Int32($0) } ?? 0
        let names = variable("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsafe unsetenv(name) }
        guard process == getpid(), (1...1_000).contains(count) else { return [] }
        var sockets: [ActivatedSocket] = []
        for index in 0..<count {
            let number = first + index
            guard kb_take_listener(number) == 0 else {
                throw SocketError(operation: "descriptor \(number) of LISTEN_FDS as a listening stream socket", code: kb_errno())
            }
            sockets.append(ActivatedSocket(number: number, name: names.indices.contains(Int(index)) ? names[Int(index)] : ""))
        }
        return sockets
    }
    /// SD_LISTEN_FDS_START
    private static let first: Int32 = 3

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

extension ServiceManager.ActivatedSocket {
    /// Where a socket listens.
    public enum Place: Sendable, Equatable {
        case tcp(SocketAddress)
        /// The path; empty for a socket without one.
        case unix(String)
    }

    /// Where it listens; nil for another kind of socket.
    public var place: Place? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard unsafe kb_local_address(number, &storage, &size) == 0 else { return nil }
        guard Int32(storage.ss_family) == AF_UNIX else { return SocketAddress(storage).map { .tcp($0) } }
        let bytes = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0[2..<max(2, min(Int(size), $0.count))]) }
        return .unix(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    }
}
