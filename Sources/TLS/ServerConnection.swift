internal import COpenSSL

/// One connection's server side of TLS over a *blocking* socket that the caller owns and keeps open for longer than this.
///
/// Used by one thread at a time. The thread must have SIGPIPE blocked or ignored (`Sockets.Thread` blocks every signal):
/// OpenSSL writes with write(2).
@safe
public struct ServerConnection: ~Copyable {
    private let session: OpaquePointer

    /// Binds a fresh session to `socket`; nil when OpenSSL has no memory for it.
    public init?(_ context: ServerContext, socket: Int32) {
        guard let session = unsafe SSL_new(context.context) else { return nil }
        guard unsafe SSL_set_fd(session, socket) == 1 else {
            unsafe SSL_free(session)
            return nil
        }
        unsafe self.session = session
    }

    deinit { unsafe SSL_free(session) }

    /// Shakes hands; false when the client does not trust us, speaks something else, or has left.
    public borrowing func handshake() -> Bool {
        ERR_clear_error()
        return unsafe SSL_accept(session) == 1
    }

    /// True when the client came back with a session of an earlier connection.
    public var wasResumed: Bool { unsafe SSL_session_reused(session) == 1 }

    /// Bytes already decrypted, which poll(2) on the socket would not show.
    public var hasPendingBytes: Bool { unsafe SSL_pending(session) > 0 }

    /// Waits for bytes: how many came; 0 when the client has ended its side in an orderly way; -1 when the connection is broken.
    public borrowing func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        ERR_clear_error()
        let count = unsafe SSL_read(session, target.baseAddress, Int32(clamping: target.count))
        if count > 0 { return Int(count) }
        return unsafe SSL_get_error(session, count) == SSL_ERROR_ZERO_RETURN ? 0 : -1
    }

    /// Sends all of `source`, waiting for room; false when the connection is broken.
    public borrowing func write(_ source: UnsafeRawBufferPointer) -> Bool {
        guard source.count > 0 else { return true }
        ERR_clear_error()
        var written = 0
        // Not SSL_MODE_ENABLE_PARTIAL_WRITE and a blocking socket: all or an error.
        return unsafe SSL_write_ex(session, source.baseAddress, source.count, &written) == 1
    }

    /// Says that nothing more will come (close_notify), without waiting for the client's.
    public borrowing func finish() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(session)
    }
}
