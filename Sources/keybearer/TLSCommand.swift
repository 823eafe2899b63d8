internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Files
internal import JSON
internal import Sockets
internal import TLS

/// `keybearer tls`
struct TLSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls", abstract: "A certificate of this machine's own, for tools that insist on https.", subcommands: [Init.self])

    /// `keybearer tls init`
    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Make an authority and a certificate for localhost, and say how tools are told.",
            discussion: """
                The authority signs this one certificate and is thrown away: its key is written nowhere, so that trusting it means trusting this \
                certificate alone. After two years, or with --force, both are made anew.

                EXAMPLES
                  keybearer tls init
                  keybearer tls init --name keybearer.internal --name 192.168.1.10 --force
                """)

        @Option(
            help: ArgumentHelp(
                "A further host name or address that the certificate is for; a name must stand in gate.hosts, too. May be repeated.",
                valueName: "host"))
        var name: [String] = []

        @Flag(help: "Replace what is there. Tools must then be told of the new authority.")
        var force = false

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            guard let flaw = name.first(where: { !LocalCertificate.isAddress($0) && !LocalCertificate.isHostName($0) }) else { return }
            throw ValidationError("--name \(flaw): expected an address, or a host name of letters, digits, hyphens and dots.")
        }

        func run() throws {
            let state = try Installation(options).places.stateDirectory
            let files = LocalCertificate(folder: "\(state)/tls")
            if !force, files.exists {
                throw Failure.failed(
                    "\(files.certificate) is there already; --force makes a new one, and tools must then trust the new authority")
            }
            _ = try PrivateDirectory.ensure(state)
            try files.make(names: name)
            guard !json else {
                return Output.json([
                    "caFile": .string(files.authority), "certFile": .string(files.certificate), "keyFile": .string(files.key),
                ])
            }
            Output.line(files.instructions)
        }
    }
}

/// The files of `keybearer tls init`.
struct LocalCertificate {
    let folder: String
    var authority: String { "\(folder)/ca.pem" }
    var certificate: String { "\(folder)/server.pem" }
    var key: String { "\(folder)/server-key.pem" }

    /// Two years: as long as a user may be asked to wait before tools have to be told again.
    private static let days = 730

    var exists: Bool { PrivateFile.identity(of: certificate) != nil || PrivateFile.identity(of: key) != nil }

    static func isAddress(_ text: String) -> Bool { SocketAddress(literal: text, port: 0) != nil }

    static func isHostName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy {
                        UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                            || $0 == UInt8(ascii: "-")
                    }
            }
    }

    /// Makes all three files, the key first: a certificate without its key is of no use to anybody.
    func make(names: [String]) throws {
        _ = try PrivateDirectory.ensure(folder)
        do throws(CertificateError) {
            let authority = try Certificate(authority: "Keybearer on this machine", days: Self.days)
            let own = try Certificate(
                server: "localhost",
                names: ["DNS:localhost", "IP:127.0.0.1", "IP:::1"] + names.map { Self.isAddress($0) ? "IP:\($0)" : "DNS:\($0)" },
                signedBy: authority,
                days: Self.days)
            try write(authority, own)
        } catch {
            throw Failure.failed(error.description)
        }
    }

    private func write(_ authority: Certificate, _ own: Certificate) throws(CertificateError) {
        do throws(FileError) {
            try PrivateFile.replace(key, with: Array(own.keyPEM.utf8))
            try PrivateFile.replace(certificate, with: Array(own.pem.utf8))
            try PrivateFile.replace(self.authority, with: Array(authority.pem.utf8))
        } catch {
            throw CertificateError(step: error.description)
        }
    }

    /// What to do with them.
    var instructions: String {
        """
        Made \(certificate) with its key beside it, for localhost, 127.0.0.1 and ::1, and \(authority), which tools are to trust. \
        The authority's own key was not kept: it can sign nothing else.

        Listen with it, beside the address without TLS (in \(SettingsFile.name)):

          listen: [
            "127.0.0.1:5392", "[::1]:5392",
            { address: "127.0.0.1:5393", tls: { certFile: "\(certificate)", keyFile: "\(key)" } },
          ],

        On another address than a loopback one, it serves requests with a client key alone (`keybearer clients add`).

        Then give the tool https://localhost:5393/… as its base URL, and tell it whom to trust:

          codex              CODEX_CA_CERTIFICATE=\(authority)
          claude, Node.js    NODE_EXTRA_CA_CERTS=\(authority)
          curl               curl --cacert \(authority)   (or CURL_CA_BUNDLE)
          Python requests    REQUESTS_CA_BUNDLE=\(folder)/bundle.pem
          httpx, Go, Rust    SSL_CERT_FILE=\(folder)/bundle.pem
          all of a machine   sudo cp \(authority) /usr/local/share/ca-certificates/keybearer.crt && sudo update-ca-certificates

        bundle.pem is for variables that replace the system's authorities instead of adding one; make it so:

          cat /etc/ssl/certs/ca-certificates.crt \(authority) > \(folder)/bundle.pem
        """
    }
}
