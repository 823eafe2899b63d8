internal import Sockets
internal import TLS

/// What all proxies of a run stand before: the stub, its certificate, and the credential that they put on.
struct Stage: ~Copyable {
    /// What proxies are to put on; worth nothing anywhere else.
    static let token = "up-secret-1"
    static let account = "acct-42"

    let folder: TemporaryFolder
    let processors: Processors
    let upstream: RunningUpstream
    let authorityFile: String

    /// Starts the stub where the load will run.
    init(_ processors: Processors) throws {
        let folder = try TemporaryFolder()
        let identity = try ThrowAwayIdentity()
        let authorityFile = folder.path + "/ca.pem"
        try FileText.write(identity.authority, to: authorityFile)
        let upstream = try RunningUpstream.start(
            Upstream.Setup(
                certificate: identity.certificate, key: identity.key, authorization: "Bearer \(Self.token)", account: Self.account))
        self.folder = folder
        self.processors = processors
        self.upstream = upstream
        self.authorityFile = authorityFile
    }

    /// Where the stub listens.
    var upstreamPort: UInt16 { upstream.address.port }

    /// Ends the stub and removes the folder.
    consuming func end() { upstream.stop() }

    /// A port that nobody has. Those from 32768 on are what the kernel gives to the load's own connections, so none of them is taken.
    static func freePort() throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: 20_000..<32_000)
            if let socket = try? TCP.listen(on: .loopback(port)) {
                socket.discard()
                return port
            }
        }
        throw BenchFailure.failed("no port is free between 20000 and 32000")
    }

    /// Whether somebody takes connections at `port`.
    static func isServed(_ port: UInt16) -> Bool {
        guard case .started(let socket) = TCP.dial(.loopback(port)) else { return false }
        let poller = Poller()
        poller.add(socket.number, .write)
        return poller.wait(milliseconds: 1_000) > 0 && TCP.outcome(of: socket) == 0
    }
}
