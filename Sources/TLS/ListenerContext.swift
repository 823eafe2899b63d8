internal import COpenSSL

/// What a TLS listener needs for every connection: its certificate and key, TLS 1.2 or newer, HTTP/2 or HTTP/1.1 by ALPN.
@safe
public final class ListenerContext: Sendable {
    /// An SSL_CTX may be shared between threads once it is set up, and this one is never changed after `init`.
    nonisolated(unsafe) let raw: OpaquePointer

    /// - Parameters:
    ///   - certificate: PEM text: the listener's certificate, and those between it and its authority behind it.
    ///   - key: PEM text: its private key.
    public init(certificate: [UInt8], key: [UInt8]) throws(TLSError) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw .last("OpenSSL could not be set up") }
        unsafe kb_listener_configure(context)
        let flaw = unsafe kb_listener_use(context, certificate, Int32(certificate.count), key, Int32(key.count))
        guard flaw == 0 else {
            unsafe SSL_CTX_free(context)
            switch flaw {
            case 1: throw .last("certFile holds no certificate in PEM form that can be used")
            case 2: throw .last("keyFile holds no private key in PEM form, or one that wants a password")
            default: throw .last("the key in keyFile is not the one of the certificate in certFile")
            }
        }
        unsafe raw = unsafe context
    }

    deinit { unsafe SSL_CTX_free(raw) }
}
