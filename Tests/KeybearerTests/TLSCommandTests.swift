import Glibc
import JSON
import TLS
import Testing

@testable import keybearer

@Suite struct TLSCommandTests {
    private let scene: ToolScene

    init() throws { scene = try ToolScene(settings: "workers: 1") }

    private func mode(_ path: String) -> mode_t {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_mode & 0o777 : 0
    }

    @Test func `A certificate is made once, its key is private, and the authority's key is nowhere`() throws {
        let made = try scene.run("tls", "init", "--json")
        #expect(made.code == 0, "\(made.errors)")
        let files = try Reader.parse(Array(made.output.utf8))
        let (authority, certificate, key) = (files["caFile"]?.string ?? "", files["certFile"]?.string ?? "", files["keyFile"]?.string ?? "")
        #expect(mode(key) == 0o600)
        #expect(!Text.read(authority).contains("PRIVATE KEY"))
        _ = try ListenerContext(certificate: Array(Text.read(certificate).utf8), key: Array(Text.read(key).utf8))
        let again = try scene.run("tls", "init")
        #expect(again.code == 1 && again.errors.contains("is there already; --force"), "\(again.errors)")
        let before = Text.read(certificate)
        let renewed = try scene.run("tls", "init", "--force", "--name", "keybearer.internal")
        #expect(renewed.code == 0 && Text.read(certificate) != before, "\(renewed.errors)")
    }

    @Test func `It says how each tool is told, and what to write into the settings`() throws {
        let made = try scene.run("tls", "init")
        for part in [
            "tls: { certFile: \"\(scene.state)/tls/server.pem\"", "CODEX_CA_CERTIFICATE=\(scene.state)/tls/ca.pem", "NODE_EXTRA_CA_CERTS=",
            "curl --cacert", "update-ca-certificates",
        ] {
            #expect(made.output.contains(part), "\(part)")
        }
    }

    @Test(arguments: ["-x", "a b", "", "a..b", "ä", String(repeating: "a", count: 64)])
    func `A name that is no host's is refused`(name: String) { #expect(!LocalCertificate.isHostName(name)) }

    @Test(arguments: ["localhost", "keybearer.internal", "A-1.b"])
    func `A host's name is taken`(name: String) { #expect(LocalCertificate.isHostName(name)) }
}
