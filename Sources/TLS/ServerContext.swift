internal import COpenSSL

/// What the server side of TLS needs for every connection: one certificate, TLS 1.2 or newer, HTTP/1.1 by ALPN.
@safe
public final class ServerContext: Sendable {
    /// An SSL_CTX may be shared between threads once it is set up, and this one is never changed after `init`.
    nonisolated(unsafe) let context: OpaquePointer

    /// A context that presents `certificate`.
    public init(certificate: Certificate) throws(CertificateError) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw CertificateError(step: "new context") }
        unsafe self.context = context
        unsafe kb_server_configure(context)
        guard unsafe SSL_CTX_use_certificate(context, certificate.x509) == 1, unsafe SSL_CTX_use_PrivateKey(context, certificate.key) == 1
        else {
            throw CertificateError(step: "use certificate")
        }
    }

    deinit { unsafe SSL_CTX_free(context) }
}
