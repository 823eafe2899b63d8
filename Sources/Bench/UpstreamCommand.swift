internal import ArgumentParser
internal import Glibc
internal import Sockets
internal import TLS

/// `keybearer-bench upstream`
struct UpstreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstream",
        abstract: "Run a stub model API, over TLS with HTTP/2 or HTTP/1.1 by ALPN.",
        discussion: """
            What it answers is said by the path; another path may stand in front:
              /v1/…                      2 KiB of JSON
              /sse?n=N[&ms=M][&idle=1]   N events, the last of which is message_stop: at once, or M ms apart; or one, and the stream held
              /download?bytes=N          N bytes
            A request with an x-api-key is answered 403: a client's credential has leaked. With --expect-authorization or --expect-account, \
            one without is answered 401.

            EXAMPLES
              keybearer-bench upstream --address 127.0.0.1:9443 --ca-file ca.pem
              keybearer-bench upstream --plain --expect-authorization "Bearer secret"
            """)

    @Option(help: ArgumentHelp("Where to listen; port 0 is any free one.", valueName: "address:port"))
    var address = "127.0.0.1:0"
    @Option(help: ArgumentHelp("PEM file; without it one is made for localhost.", valueName: "file"), completion: .file())
    var certificate: String?
    @Option(help: ArgumentHelp("PEM file of the certificate's key.", valueName: "file"), completion: .file())
    var key: String?
    @Option(help: ArgumentHelp("Where to write the authority of the certificate that is made.", valueName: "file"), completion: .file())
    var caFile: String?
    @Flag(help: "Without TLS; HTTP/2 with prior knowledge.")
    var plain = false
    @Option(help: ArgumentHelp("The whole Authorization field that is to be put on.", valueName: "value"))
    var expectAuthorization: String?
    @Option(help: ArgumentHelp("The ChatGPT-Account-Id field that is to be put on.", valueName: "value"))
    var expectAccount: String?

    func validate() throws {
        guard socketAddress != nil else { throw ValidationError("--address takes an address and a port, such as 127.0.0.1:9443.") }
        guard (certificate == nil) == (key == nil) else { throw ValidationError("--certificate and --key belong together.") }
        guard !plain || certificate == nil && caFile == nil else { throw ValidationError("--plain needs no certificate.") }
        guard certificate == nil || caFile == nil else { throw ValidationError("--ca-file is for a certificate that is made here.") }
    }

    private var socketAddress: SocketAddress? {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else { return nil }
        return SocketAddress(literal: String(address[..<colon]), port: port)
    }

    func run() throws {
        Limits.raiseOpenFiles()
        var setup = Upstream.Setup(address: socketAddress ?? .loopback(0), authorization: expectAuthorization, account: expectAccount)
        if let certificate, let key {
            setup.certificate = try FileText.read(certificate)
            setup.key = try FileText.read(key)
        } else if !plain {
            let identity = try ThrowAwayIdentity()
            (setup.certificate, setup.key) = (identity.certificate, identity.key)
            if let caFile { try FileText.write(identity.authority, to: caFile) }
        }
        var upstream = try Upstream.listen(setup)
        Console.line("listening on \(plain ? "http" : "https")://\(upstream.address)")
        upstream.serve()
    }
}

/// A certificate for localhost that is thrown away with the run.
struct ThrowAwayIdentity {
    /// PEM texts.
    let authority, certificate, key: String

    init() throws {
        let issuer = try Certificate(authority: "keybearer-bench")
        let server = try Certificate(server: "localhost", names: ["DNS:localhost", "IP:127.0.0.1"], signedBy: issuer)
        authority = issuer.pem
        certificate = server.pem
        key = server.keyPEM
    }
}
