import Sockets
import TLS
import Testing

@Suite struct ListenerContextTests {
    private static let authority = try? Certificate(authority: "test")
    private static func certificate() throws -> Certificate {
        try Certificate(server: "localhost", names: ["DNS:localhost"], signedBy: #require(authority))
    }

    @Test func aCertificateAndItsKeyAreTaken() throws {
        let own = try Self.certificate()
        _ = try ListenerContext(certificate: Array(own.pem.utf8), key: Array(own.keyPEM.utf8))
    }

    @Test func whatDoesNotBelongTogetherIsRefusedByName() throws {
        let (one, other) = (try Self.certificate(), try Self.certificate())
        let cases: [(certificate: String, key: String, word: String)] = [
            (one.pem, other.keyPEM, "not the one of the certificate"), ("nothing", one.keyPEM, "certFile"), (one.pem, "nothing", "keyFile"),
            (one.keyPEM, one.keyPEM, "certFile"), (one.pem, one.pem, "keyFile"), ("", "", "certFile"),
        ]
        for (certificate, key, word) in cases {
            let error = #expect(throws: TLSError.self) { try ListenerContext(certificate: Array(certificate.utf8), key: Array(key.utf8)) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
    }
}
