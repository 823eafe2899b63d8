internal import COpenSSL
internal import CLinux

/// Why TLS could not be set up or shaken hands on.
public struct TLSError: Error, Sendable, CustomStringConvertible {
    /// A sentence for people that names the cause, never a secret.
    public let description: String
    /// True when the peer's certificate was the cause: no byte of a request has been sent, and trying again will not help.
    public let isCertificateProblem: Bool

    init(_ description: String, isCertificateProblem: Bool = false) {
        self.description = description
        self.isCertificateProblem = isCertificateProblem
    }
    /// The library's last error in its own words.
    static func last(_ doing: String) -> TLSError {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let reason = unsafe ERR_reason_error_string(code) else { return TLSError(doing) }
        return TLSError("\(doing): \(unsafe String(cString: reason))")
    }
}

/// A client's settings: TLS 1.2 or later, verification always on.
///
/// One per worker; connections are made from it by the same thread, and must be gone before it is.
@safe
public struct ClientContext: ~Copyable {
    let raw: OpaquePointer
    let wireMethod: OpaquePointer

    /// - Parameter anchors: whom it trusts.
    public init(_ anchors: TrustAnchors) throws(TLSError) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()), let method = unsafe Wire.makeMethod() else {
            throw .last("OpenSSL could not be set up")
        }
        _ = unsafe kb_set_minimum_tls12(context)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set1_cert_store(context, anchors.store)
        // Idle connections then hold no 16 KiB record buffers; queues may move between two tries of one write.
        _ = unsafe kb_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        // No read_ahead: OpenSSL 3.0 then moves all that it holds for each record (measured: six times the work for small ones).
        unsafe raw = unsafe context
        unsafe wireMethod = unsafe method
    }
    deinit {
        unsafe SSL_CTX_free(raw)
        unsafe BIO_meth_free(wireMethod)
    }
}

/// A session that later connections to the same server can resume (RFC 8446 §2.2). Holds key material: stays in its worker.
@safe
public final class TLSSession {
    let raw: OpaquePointer
    init(owning raw: OpaquePointer) { unsafe self.raw = unsafe raw }
    deinit { unsafe SSL_SESSION_free(raw) }
}
