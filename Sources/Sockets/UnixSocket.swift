internal import CLinux
internal import Glibc

/// Listening on, and dialling, Unix-domain stream sockets at a path.
public enum UnixSocket {
    /// A non-blocking listening socket at `path`, which nobody but its owner may connect to (mode 0600 from the first moment).
    ///
    /// What a dead process has left at the path is taken away; a socket that somebody answers at is `EADDRINUSE`, and anything that is no
    /// socket is left as it is (`EEXIST`).
    public static func listen(at path: String, backlog: Int32 = 1024) throws(SocketError) -> Descriptor {
        let failure = { (code: Int32) in SocketError(operation: "listen on unix:\(path)", code: code) }
        var status = stat()
        if unsafe lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else { throw failure(EEXIST) }
            if case .started = dial(path) { throw failure(EADDRINUSE) }
            unsafe unlink(path)
        }
        let socket = Descriptor(owning: kb_stream_socket(AF_UNIX))
        guard socket.number >= 0, kb_set_mode(socket.number, 0o600) == 0 else { throw failure(kb_errno()) }
        let code = unsafe with(path) { unsafe kb_bind(socket.number, $0, $1) == 0 ? 0 : kb_errno() }
        guard code == 0 else { throw failure(code) }
        guard Glibc.listen(socket.number, backlog) == 0 else { throw failure(kb_errno()) }
        return socket
    }

    /// Connects; a Unix socket answers at once, or not at all.
    public static func dial(_ path: String) -> TCP.Dialled {
        let number = kb_stream_socket(AF_UNIX)
        guard number >= 0 else { return .failed(kb_errno()) }
        let socket = Descriptor(owning: number)
        let code = unsafe with(path) { unsafe kb_connect(number, $0, $1) == 0 ? 0 : kb_errno() }
        guard code == 0 else { return .failed(code) }
        return .started(socket)
    }

    /// Removes the file of a listener that is closed, unless another one stands there by now.
    public static func remove(_ path: String) {
        if case .failed(ECONNREFUSED) = dial(path) { unsafe unlink(path) }
    }

    /// Calls `body` with the address of `path`. A path that is too long for an address is reached through its folder's descriptor.
    private static func with(_ path: String, _ body: (UnsafePointer<sockaddr_storage>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_storage()
        var size: socklen_t = 0
        if unsafe kb_unix_address(path, &address, &size) == 0 { return unsafe body(&address, size) }
        guard let slash = path.lastIndex(of: "/") else { return ENAMETOOLONG }
        let folder = Descriptor(owning: unsafe kb_open_following(String(path[..<slash])))
        guard folder.number >= 0 else { return kb_errno() }
        let short = "/proc/self/fd/\(folder.number)\(path[slash...])"
        guard unsafe kb_unix_address(short, &address, &size) == 0 else { return ENAMETOOLONG }
        return unsafe body(&address, size)
    }
}
