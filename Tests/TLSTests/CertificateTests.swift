import TLS
import Testing

@Suite struct CertificateTests {
    @Test func aCertificateIsOnePEMBlockWithoutItsKey() throws {
        let authority = try Certificate(authority: "Test")
        let server = try Certificate(server: "localhost", names: ["DNS:localhost", "IP:::1"], signedBy: authority)
        for pem in [authority.pem, server.pem] {
            #expect(pem.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
            #expect(pem.hasSuffix("-----END CERTIFICATE-----\n"))
            #expect(!pem.contains("PRIVATE KEY"))
        }
        #expect(authority.pem != server.pem)
    }

    @Test(arguments: [["nonsense"], ["IP:localhost"]])
    func namesThatMakeNoSenseAreRefused(names: [String]) throws {
        let authority = try Certificate(authority: "Test")
        #expect(throws: CertificateError.self) { try Certificate(server: "x", names: names, signedBy: authority) }
    }
}
