import TLS
import Testing

@Suite struct ClientContextTests {
    @Test(arguments: ["/nowhere/ca.pem", "/dev/null"])
    func anAnchorFileThatHoldsNoCertificateIsNamed(path: String) {
        do throws(TLSError) {
            _ = try ClientContext(TrustAnchors(caFile: path))
            Issue.record("\(path) was taken")
        } catch {
            #expect(error.description.contains(path))
            #expect(!error.isCertificateProblem)
        }
    }
}
