public import Credentials
import Digest

/// Proof that whoever exchanges a code is who asked for it (RFC 7636). S256 only: the plain method proves nothing to someone who has
/// seen the authorization request.
public struct PKCE: Sendable {
    /// 43 to 128 characters (§4.1); it leaves this process with the exchange only.
    public let verifier: Secret
    /// base64url(SHA-256(verifier)), §4.2.
    public let challenge: String

    /// A verifier of 256 random bits, as §7.1 advises: 43 characters.
    public init() {
        self.init(verifier: Base64URL.encode(Random.bytes(32)))!
    }

    /// With this verifier; nil unless it has 43 to 128 of the unreserved characters.
    init?(verifier: String) {
        guard (43...128).contains(verifier.utf8.count), verifier.utf8.allSatisfy(Self.isUnreserved) else { return nil }
        guard let secret = Secret(verifier) else { return nil }
        self.verifier = secret
        challenge = Base64URL.encode(SHA256.hash(verifier))
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "-._~".utf8.contains(byte)
        }
    }
}
