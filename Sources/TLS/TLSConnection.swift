internal import COpenSSL
internal import Glibc
public import Sockets

/// One TLS connection over memory, either side of it: ciphertext is offered and flushed by the socket's owner.
@safe
public struct TLSConnection: ~Copyable {
    /// What a read came to.
    public enum Received: Equatable, Sendable {
        /// Plaintext bytes put into the target.
        case bytes(Int)
        /// All that was offered has been used up.
        case starved
        /// The peer ended its side properly (close_notify): what came before is whole (RFC 8446 §6.1).
        case ended
        /// The records make no sense, or the peer sent an alert.
        case failed
    }
    /// How far the handshake is.
    public enum Handshake: ~Copyable {
        /// More bytes are needed from the peer; flush what waits.
        case underWay
        /// Done; the peer's certificate has been verified for the host.
        case done
        /// It will not succeed.
        case failed(TLSError)
    }
    private let ssl: OpaquePointer
    private let wire: UnsafeMutablePointer<Wire>

    /// A connection that will verify the peer as `host` (a DNS name, also sent as SNI, or a literal address, RFC 6066 §3).
    /// `offersHTTP2`: whether the peer may choose it by ALPN (RFC 7301); HTTP/1.1 is offered in any case.
    public init(
        _ context: borrowing ClientContext, host: String, isLiteral: Bool, offersHTTP2: Bool = false, resuming session: TLSSession?,
        pool: BufferPool
    ) throws(TLSError) {
        // A noncopyable value may not throw half made: everything that can fail happens to a local first.
        let ssl = unsafe try Self.prepare(context, host: host, isLiteral: isLiteral)
        guard let bio = unsafe BIO_new(context.wireMethod) else {
            unsafe SSL_free(ssl)
            throw .last("OpenSSL could not make a connection")
        }
        let wire = UnsafeMutablePointer<Wire>.allocate(capacity: 1)
        unsafe wire.initialize(to: Wire(pool: pool))
        unsafe BIO_set_data(bio, wire)
        unsafe SSL_set_bio(ssl, bio, bio)
        if let session { _ = unsafe SSL_set_session(ssl, session.raw) }
        let protocols = offersHTTP2 ? Self.http2 + Self.http11 : Self.http11
        _ = unsafe SSL_set_alpn_protos(ssl, protocols, UInt32(protocols.count))
        unsafe self.ssl = unsafe ssl
        unsafe self.wire = unsafe wire
    }

    /// The server's side of a connection that a client has opened. `wire`: any context of this worker.
    public init(accepting context: ListenerContext, wire: borrowing ClientContext, pool: BufferPool) throws(TLSError) {
        guard let ssl = unsafe SSL_new(context.raw) else { throw .last("OpenSSL could not make a connection") }
        guard let bio = unsafe BIO_new(wire.wireMethod) else {
            unsafe SSL_free(ssl)
            throw .last("OpenSSL could not make a connection")
        }
        unsafe SSL_set_accept_state(ssl)
        let wire = UnsafeMutablePointer<Wire>.allocate(capacity: 1)
        unsafe wire.initialize(to: Wire(pool: pool))
        unsafe BIO_set_data(bio, wire)
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe self.ssl = unsafe ssl
        unsafe self.wire = unsafe wire
    }

    private static let http2: [UInt8] = [2] + Array("h2".utf8)
    private static let http11: [UInt8] = [8] + Array("http/1.1".utf8)

    /// Both sides have agreed on HTTP/2 in the handshake.
    public var speaksHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        return unsafe count == 2 && name?[0] == UInt8(ascii: "h") && name?[1] == UInt8(ascii: "2")
    }

    private static func prepare(_ context: borrowing ClientContext, host: String, isLiteral: Bool) throws(TLSError) -> OpaquePointer {
        guard let ssl = unsafe SSL_new(context.raw) else { throw .last("OpenSSL could not make a connection") }
        unsafe SSL_set_connect_state(ssl)
        let named: Bool
        if isLiteral {
            named = unsafe kb_require_ip(ssl, host) == 1
        } else {
            named = unsafe kb_set_server_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1
        }
        guard named else {
            unsafe SSL_free(ssl)
            throw .last("the host name \(host) cannot be verified")
        }
        return unsafe ssl
    }

    deinit {
        // Without this OpenSSL spoils the session of a connection that ends without our goodbye; TLS 1.1 and later ask for no such thing.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
        unsafe wire.deinitialize(count: 1)
        unsafe wire.deallocate()
    }

    /// Ciphertext received; it must stay in place until `read` or `shakeHands` has used it up, in this same turn.
    @inline(__always)
    public borrowing func offer(_ bytes: UnsafeRawBufferPointer) {
        unsafe wire.pointee.inbound = bytes.baseAddress
        unsafe wire.pointee.inboundCount = bytes.count
    }

    /// Goes on with the handshake on what was offered.
    public borrowing func shakeHands(host: String) -> Handshake {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return .done }
        if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .underWay }
        let verdict = unsafe SSL_get_verify_result(ssl)
        if verdict != X509_V_OK {
            let reason = unsafe String(cString: X509_verify_cert_error_string(verdict))
            return .failed(TLSError("the certificate of \(host) was not accepted: \(reason)", isCertificateProblem: true))
        }
        return .failed(.last("the TLS handshake with \(host) failed"))
    }

    /// Opens records into `target`.
    @inline(__always)
    public borrowing func read(into target: UnsafeMutableRawPointer, capacity: Int) -> Received {
        let count = unsafe SSL_read(ssl, target, Int32(capacity))
        if count > 0 { return .bytes(Int(count)) }
        return failure(count)
    }

    /// Opens records into `target` until all that was offered has been used up, or no further one would surely fit below `room`: how many bytes
    /// there are, and what came of the last read.
    public borrowing func open(into target: UnsafeMutableRawPointer, room: Int) -> (count: Int, last: Received) {
        var filled = 0
        while filled + TLSConnection.recordBytes <= room {
            let last = unsafe read(into: target + filled, capacity: TLSConnection.recordBytes)
            guard case .bytes(let count) = last else { return (filled, last) }
            filled += count
        }
        return (filled, .bytes(0))
    }
    /// What a record opens to at most (RFC 8446 §5.1).
    public static var recordBytes: Int { 16 << 10 }
    /// What sealing adds to a record: header, content type and tag (RFC 8446 §5.2); TLS 1.2 adds an explicit nonce in the place of the type.
    private static var overheadBytes: Int { 5 + 16 + 8 }

    @inline(never)
    private borrowing func failure(_ result: Int32) -> Received {
        let code = unsafe SSL_get_error(ssl, result)
        if code == SSL_ERROR_WANT_READ {
            // A session ticket makes OpenSSL set up a buffer to write from, which RELEASE_BUFFERS gives back only after a write.
            _ = unsafe SSL_free_buffers(ssl)
            return .starved
        }
        ERR_clear_error()
        return code == SSL_ERROR_ZERO_RETURN ? .ended : .failed
    }

    /// Seals bytes into records of up to 16 KiB, queued until `flush`; false when the connection cannot be written any more.
    @inline(__always)
    public borrowing func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count > 0 else { return true }
        let records = bytes.count / TLSConnection.recordBytes + 1
        // So that record after record need not move those before it to a larger block.
        if records > 1 { _ = unsafe wire.pointee.outbound.reserve(bytes.count + records * TLSConnection.overheadBytes) }
        return unsafe SSL_write(ssl, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count)
    }

    /// Says goodbye (close_notify), so that the peer knows nothing was cut; queued until `flush`.
    public borrowing func sayGoodbye() {
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Ciphertext bytes that wait to be sent.
    public var waiting: Int { @inline(__always) get { unsafe wire.pointee.outbound.count } }

    /// Sends what waits, as far as the socket takes it.
    @inline(__always)
    public borrowing func flush(to socket: borrowing Descriptor) -> Transfer {
        var total = 0
        while unsafe !wire.pointee.outbound.isEmpty {
            let bytes = unsafe wire.pointee.outbound.bytes
            let sent = unsafe socket.send(bytes.baseAddress.unsafelyUnwrapped, count: bytes.count)
            guard case .moved(let count) = sent else { return sent }
            unsafe wire.pointee.outbound.consume(count)
            total += count
        }
        return .moved(total)
    }

    /// The session to resume next time, if the peer has given one by now (TLS 1.3 sends it after the handshake).
    public borrowing func session() -> TLSSession? {
        guard let raw = unsafe SSL_get1_session(ssl) else { return nil }
        let session = unsafe TLSSession(owning: raw)
        return unsafe SSL_SESSION_is_resumable(raw) == 1 ? session : nil
    }
    /// True when this connection resumed an earlier session.
    public var wasResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }
}
