internal import Configuration
internal import Credentials
internal import Files
internal import Glibc
internal import OAuth
internal import Sockets
internal import Tools

/// The clock, trust anchors, the library that asks token endpoints, the ports, and proxies.
struct DoctorSurroundings {
    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    var findings: [Finding] { clock() + trust() + library() + ports() + proxies() }

    // MARK: Clock

    /// When this was written: no clock that is right shows less. 2026-01-01, in ms.
    private static let earliest: Int64 = 1_767_225_600_000

    private func clock() -> [Finding] {
        let now = Clock.wall()
        let advice = "set the clock: timedatectl set-ntp true"
        guard now >= Self.earliest else {
            return [
                Finding(
                    .problem, "clock", "the clock shows \(Timestamp.rfc3339(now)), which is past; certificates will not hold",
                    advice: advice)
            ]
        }
        let store = installation.store
        let ahead = [store.profilesPath, store.statePath].compactMap { PathStatus($0) }.map { $0.modified - now }.max() ?? 0
        guard ahead > 120_000 else { return [] }
        let message =
            "credentials were written \(ExpiryText.span(ahead)) in the future: the clock has been turned back, so that expiries are misjudged"
        return [Finding(.problem, "clock", message, advice: advice)]
    }

    // MARK: Trust

    /// Where distributions keep the system's authorities, as OpenSSL builds look for them.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem",
    ]

    private func trust() -> [Finding] {
        var findings: [Finding] = []
        let environment = ProcessEnvironment.all
        if let file = installation.settings.upstream.caFile, let flaw = Self.flaw(ofBundle: file) {
            findings.append(
                Finding(
                    .problem, "ca-file", "upstream.caFile: \(file) \(flaw)",
                    advice: "name a PEM file of certificates in \(installation.settingsPath)"))
        }
        if let file = environment["SSL_CERT_FILE"], !file.isEmpty {
            if let flaw = Self.flaw(ofBundle: file) {
                findings.append(
                    Finding(
                        .problem, "ca-bundle", "SSL_CERT_FILE: \(file) \(flaw), so that no provider can be verified",
                        advice: "unset SSL_CERT_FILE, or name a PEM file"))
            }
        } else if environment["SSL_CERT_DIR"] == nil, !Self.bundles.contains(where: { Self.flaw(ofBundle: $0) == nil }),
            Directory.names(in: "/etc/ssl/certs").isEmpty
        {
            findings.append(
                Finding(
                    .problem, "ca-bundle", "this system has no certificate authorities, so that no provider can be verified",
                    advice: "apt-get install ca-certificates"))
        }
        return findings
    }

    private static func flaw(ofBundle path: String) -> String? {
        guard let stream = unsafe fopen(path, "re") else { return "cannot be read" }
        defer { unsafe fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, stream) }
        return String(decoding: bytes[..<count], as: UTF8.self).contains("-----BEGIN ") ? nil : "holds no certificate"
    }

    // MARK: Library

    /// It is opened at the first refresh, which may be hours after a start.
    private func library() -> [Finding] {
        guard !CurlTransport.isAvailable else { return [] }
        return [
            Finding(
                .problem, "libcurl", "libcurl (libcurl.so.4) cannot be opened, so that no login can be refreshed",
                advice: "apt-get install libcurl4")
        ]
    }

    // MARK: Ports

    private func ports() -> [Finding] {
        let addresses = installation.settings.listen.filter { $0.port != 0 && $0.tls == nil }
        let health = addresses.map { LocalServer($0).health(of: installation) }
        var findings: [Finding] = []
        for (address, health) in zip(addresses, health) where health == .anotherKeybearer {
            findings.append(
                Finding(
                    .problem, "other-keybearer",
                    "the Keybearer that answers at \(address) has another state directory, and so other credentials",
                    advice: "end it (\(SocketHolder.describe(listenerOn: address.port))), or set `listen` in \(installation.settingsPath)"))
        }
        for (address, health) in zip(addresses, health) where health == .stranger {
            findings.append(
                Finding(
                    .problem, "port", "\(address) is in use by \(SocketHolder.describe(listenerOn: address.port)), which is no Keybearer",
                    advice: "end it, or set `listen` in \(installation.settingsPath)"))
        }
        if !addresses.isEmpty, health.allSatisfy({ $0 == .nobody }) {
            findings.append(
                Finding(
                    .note, "no-server", "no server answers at \(addresses.map(\.description).joined(separator: ", "))",
                    advice: "keybearer serve; `keybearer run` starts one by itself"))
        }
        return findings
    }

    // MARK: Proxies

    private func proxies() -> [Finding] {
        let environment = ProcessEnvironment.all
        var findings: [Finding] = []
        let catching = ProxyVariables.catching(environment)
        if !catching.isEmpty {
            findings.append(
                Finding(
                    .warning, "proxy", "\(catching.joined(separator: ", ")) would send a tool's requests for this machine to a proxy",
                    advice: "export NO_PROXY=127.0.0.1,localhost,::1 (`keybearer run` and `keybearer env` do)"))
        }
        let outward = ProxyVariables.outward(environment)
        if !outward.isEmpty {
            findings.append(
                Finding(
                    .note, "outbound-proxy",
                    "\(outward.joined(separator: ", ")) leads connections to providers through a proxy, where the server has it too",
                    advice: "a service has an environment of its own: set it there (`systemctl --user edit keybearer`)"))
        }
        return findings
    }
}
