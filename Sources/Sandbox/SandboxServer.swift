internal import CLinux
internal import Glibc
internal import Sockets
internal import TLS

/// A provider to try things on: OAuth endpoints that rotate refresh tokens and detect their reuse, model APIs that stream in the real
/// event sequences, over TLS with a certificate of its own making. It accepts each credential in its own form only, and tells what arrived.
///
/// Listens on loopback only. Nothing it hands out is worth anything elsewhere or after it has stopped.
public final class SandboxServer: Sendable {
    /// How a sandbox is set up.
    public struct Options: Sendable {
        /// Where `sandbox-ca.pem` is written; it must exist.
        public var directory: String
        /// A numeric loopback address.
        public var address = "127.0.0.1"
        /// 0 lets the kernel choose.
        public var port: UInt16 = 0
        /// False speaks plain HTTP.
        public var tls = true
        /// In seconds.
        public var accessTokenLifetime = 3600
        /// Between the deltas of a stream, unless the request's `Sandbox-Interval` says otherwise.
        public var eventInterval = Duration.milliseconds(10)
        /// How long after a rotation the old refresh token is still taken; most providers take it no more.
        public var refreshGrace = Duration.zero
        /// It plays a provider of this shape alone, and none of those that it knows by itself.
        public var shape: ProviderShape?

        /// The usual settings.
        public init(directory: String) { self.directory = directory }
    }

    /// What clients are pointed at, e.g. `https://localhost:43210`.
    public let baseURL: String
    /// The PEM file with the authority to trust; empty without TLS.
    public let caFile: String
    /// The port it listens on.
    public let port: UInt16

    private let records: Records
    private let listener: Listener
    private let shaped: ShapedProvider?

    /// Makes the certificates, listens, and begins to answer.
    public init(_ options: Options) throws(SandboxError) {
        guard let address = SocketAddress(literal: options.address, port: options.port), address.isLoopback else {
            throw SandboxError(description: "The sandbox listens on loopback addresses only, not on \(options.address).")
        }
        do {
            let socket = try TCP.listen(on: address)
            port = TCP.localAddress(of: socket)?.port ?? options.port
            records = Records(accessTokenLifetime: options.accessTokenLifetime, refreshGrace: options.refreshGrace)
            baseURL = "\(options.tls ? "https" : "http")://localhost:\(port)"
            var context: ServerContext?
            if options.tls {
                let authority = try Certificate(authority: "Keybearer sandbox CA")
                let certificate = try Certificate(
                    server: "localhost", names: ["DNS:localhost", "IP:127.0.0.1", "IP:::1"], signedBy: authority)
                context = try ServerContext(certificate: certificate)
                caFile = options.directory + "/sandbox-ca.pem"
                try Self.write(authority.pem, to: caFile)
            } else {
                caFile = ""
            }
            shaped = options.shape.map(ShapedProvider.init)
            let router = Router(
                records: records, baseURL: baseURL, caFile: caFile, eventInterval: options.eventInterval, shaped: shaped)
            listener = Listener(socket: socket, router: router, tls: context)
        } catch {
            throw error as? SandboxError ?? SandboxError(description: "The sandbox cannot start: \(error).")
        }
    }

    deinit { listener.stop() }

    /// Ends every connection, waits for every thread and closes every socket.
    public func stop() { listener.stop() }

    /// Makes an account and logs it in.
    ///
    /// - Parameters:
    ///   - expired: the access token is dead already; the refresh token works.
    ///   - name: the account's id; nil counts up from `acct-1`.
    public func addAccount(_ provider: SandboxProvider, expired: Bool = false, named name: String? = nil) -> SandboxLogin {
        records.login(provider, expired: expired, named: name)
    }

    /// Makes an account with an API key.
    public func addAPIKey(_ provider: SandboxProvider, named name: String? = nil) -> String {
        records.with { state, _ in
            let account = state.tokens.account(provider, named: name)
            return state.tokens.apiKey(account)
        }
    }

    /// Makes an Anthropic account with a long-lived token in the form that `claude setup-token` prints.
    public func addSetupToken(named name: String? = nil) -> String {
        records.with { state, _ in
            let account = state.tokens.account(.anthropic, named: name)
            return state.tokens.setupToken(account)
        }
    }

    /// Ends a login from the provider's side, as "sign out everywhere" does. False when the refresh token is unknown.
    @discardableResult
    public func revoke(refresh token: String) -> Bool { records.with { state, _ in state.tokens.revoke(refresh: token) } }

    /// Plays the person who opens the device page; false when no device waits under `userCode`.
    @discardableResult
    public func decideDevice(userCode: String, approve: Bool, named name: String? = nil) -> Bool {
        records.decideDevice(userCode: userCode, approve: approve, named: name)
    }

    /// Plays `fault` on the next matching requests.
    public func inject(_ fault: Fault) { records.with { state, _ in state.faults.add(fault) } }

    /// What reached a sandbox with a shape and was no login.
    public var arrivals: [ShapedArrival] { shaped?.arrivals ?? [] }

    /// Where a browser ends that opens this address of a sandbox with a shape; nil: nowhere.
    public func signIn(at url: String) -> String? { shaped?.signIn(at: url) }

    /// Lets a sandbox with a shape take a credential that nobody logs in for.
    public func accept(_ credential: String) { shaped?.accept(credential) }

    /// What has arrived until now.
    public var audit: Audit { records.with { state, _ in state.audit } }

    /// Makes accounts and the files of a state directory that uses them; the caller writes the files.
    public func makeState() -> SandboxState { SandboxState(records: records, baseURL: baseURL, caFile: caFile) }

    /// The certificate is public: mode 0644.
    private static func write(_ text: String, to path: String) throws(SandboxError) {
        let file = Descriptor(owning: unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644))
        let bytes = Array(text.utf8)
        guard file.number >= 0, unsafe Glibc.write(file.number, bytes, bytes.count) == bytes.count else {
            throw SandboxError(
                description: "Cannot write the sandbox's certificate to \(path): \(unsafe String(cString: strerror(errno))).")
        }
    }
}
