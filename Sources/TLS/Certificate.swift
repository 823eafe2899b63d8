internal import COpenSSL

/// A certificate that could not be made; the step that failed.
public struct CertificateError: Error, Sendable, CustomStringConvertible {
    /// What was being done, e.g. `sign`.
    public let step: String
    /// One sentence for people.
    public var description: String { "making a certificate failed at: \(step)" }

    /// What failed, in a few words.
    public init(step: String) { self.step = step }
}

/// An X.509 certificate with its private key, made in memory: EC P-256, signed with SHA-256.
///
/// Meant for an authority that is thrown away, and the server certificates under it.
@safe
public final class Certificate: Sendable {
    /// Both are complete before `init` returns, are never changed afterwards, and are counted atomically by OpenSSL.
    nonisolated(unsafe) let x509: OpaquePointer
    nonisolated(unsafe) let key: OpaquePointer

    /// An authority that can sign server certificates and nothing below another authority.
    ///
    /// - Parameter days: how long it is valid, from five minutes ago (clocks of test machines differ).
    public convenience init(authority commonName: String, days: Int = 30) throws(CertificateError) {
        try self.init(
            commonName: commonName, issuer: nil, days: days,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
    }

    /// A server's certificate for the given names and addresses, signed by `issuer`.
    ///
    /// - Parameter names: in the notation of subjectAltName: `DNS:localhost`, `IP:127.0.0.1`.
    public convenience init(server commonName: String, names: [String], signedBy issuer: Certificate, days: Int = 30)
        throws(CertificateError)
    {
        try self.init(
            commonName: commonName, issuer: issuer, days: days,
            extensions: [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth"),
                (NID_subject_alt_name, names.joined(separator: ",")),
                // RFC 5280 section 4.2.1.1; Python's strict verification (3.13 on) refuses a certificate without it.
                (NID_authority_key_identifier, "keyid"),
                (NID_subject_key_identifier, "hash"),
            ])
    }

    private init(
        commonName: String, issuer: Certificate?, days: Int, extensions: [(nid: Int32, value: String)]
    ) throws(CertificateError) {
        guard let key = unsafe kb_server_new_p256_key() else { throw CertificateError(step: "new key") }
        guard let x509 = unsafe X509_new() else {
            unsafe EVP_PKEY_free(key)
            throw CertificateError(step: "new certificate")
        }
        unsafe (self.key, self.x509) = (key, x509)
        try identify(commonName, issuer: issuer, days: days)
        for (nid, value) in extensions {
            guard unsafe kb_server_add_extension(x509, issuer?.x509 ?? x509, nid, value) == 1 else {
                throw CertificateError(step: "extension \(value)")
            }
        }
        guard unsafe X509_sign(x509, issuer?.key ?? key, EVP_sha256()) > 0 else { throw CertificateError(step: "sign") }
    }

    deinit {
        unsafe X509_free(x509)
        unsafe EVP_PKEY_free(key)
    }

    /// The certificate, without its key, as PEM text.
    public var pem: String {
        let capacity = 8192
        return unsafe String(unsafeUninitializedCapacity: capacity) { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                max(0, Int(unsafe kb_server_certificate_pem(x509, text.baseAddress, Int32(capacity))))
            }
        }
    }

    /// Its private key as PEM text (PKCS 8). A secret: for the listener's own file and nothing else.
    public var keyPEM: String {
        let capacity = 4096
        return unsafe String(unsafeUninitializedCapacity: capacity) { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                max(0, Int(unsafe kb_server_key_pem(key, text.baseAddress, Int32(capacity))))
            }
        }
    }

    /// Version 3, a random serial number, names, validity and the public key.
    private func identify(_ commonName: String, issuer: Certificate?, days: Int) throws(CertificateError) {
        var serial = [UInt8](repeating: 0, count: 16)
        guard unsafe RAND_bytes(&serial, 16) == 1 else { throw CertificateError(step: "serial number") }
        // Positive, as RFC 5280 section 4.1.2.2 asks.
        serial[0] = serial[0] & 0x7f | 0x40
        guard let number = unsafe BN_bin2bn(serial, 16, nil) else { throw CertificateError(step: "serial number") }
        defer { unsafe BN_free(number) }
        guard unsafe X509_set_version(x509, 2) == 1, unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != nil else {
            throw CertificateError(step: "version and serial number")
        }
        let name = unsafe X509_get_subject_name(x509)
        let added = unsafe X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_UTF8, Array(commonName.utf8), Int32(commonName.utf8.count), -1, 0)
        guard added == 1, unsafe X509_set_issuer_name(x509, issuer.map { unsafe X509_get_subject_name($0.x509) } ?? name) == 1 else {
            throw CertificateError(step: "names")
        }
        unsafe X509_gmtime_adj(X509_getm_notBefore(x509), -300)
        unsafe X509_gmtime_adj(X509_getm_notAfter(x509), days * 86_400)
        guard unsafe X509_set_pubkey(x509, key) == 1 else { throw CertificateError(step: "public key") }
    }
}
