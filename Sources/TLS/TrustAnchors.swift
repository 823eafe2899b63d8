internal import COpenSSL

/// Whom connections trust: the system's authorities, and those of one more file. Made once, shared by all workers.
///
/// The system's are looked up when a connection needs one (`anchors.h`): a start does not wait for them.
@safe
public final class TrustAnchors: Sendable {
    /// Counted and locked by OpenSSL.
    nonisolated(unsafe) let store: OpaquePointer
    /// A table of functions, written before anybody has it. Never freed: SSL_CTXs that count the store outlive this object.
    private nonisolated(unsafe) static let method = unsafe kb_bundle_method()

    /// Reads `caFile` (PEM), which is trusted besides the system's.
    public convenience init(caFile: String?) throws(TLSError) {
        try self.init(caFile: caFile, bundle: unsafe String(cString: kb_system_bundle()))
    }

    /// With the system's bundle elsewhere.
    init(caFile: String?, bundle: String) throws(TLSError) {
        guard let method = unsafe Self.method, let store = unsafe X509_STORE_new() else { throw .last("OpenSSL could not be set up") }
        guard unsafe kb_trust_system(store, method, bundle) == 1 else {
            unsafe X509_STORE_free(store)
            throw .last("the system's certificate authorities could not be set up")
        }
        if let caFile, unsafe X509_STORE_load_locations(store, caFile, nil) != 1 {
            unsafe X509_STORE_free(store)
            throw .last("the CA file \(caFile) could not be read as PEM")
        }
        unsafe self.store = unsafe store
    }

    deinit { unsafe X509_STORE_free(store) }
}
