import Glibc
import Sockets
import Testing

@testable import TLS

/// The client side of TLS against OpenSSL's own server side, over a socket pair.
@Suite struct TLSConnectionTests {
    /// An authority, and a file that holds its certificate.
    private final class Authority: Sendable {
        let certificate: Certificate
        let file: String

        init() throws {
            certificate = try Certificate(authority: "Test authority")
            var template = Array("/tmp/keybearer-tls-XXXXXX".utf8CString)
            let fd = mkstemp(&template)
            file = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            _ = write(fd, certificate.pem, certificate.pem.utf8.count)
            close(fd)
        }
        deinit { unlink(file) }

        func context(names: [String] = ["DNS:localhost", "IP:127.0.0.1"], days: Int = 30) throws -> ServerContext {
            try ServerContext(certificate: try Certificate(server: "server", names: names, signedBy: certificate, days: days))
        }
    }

    /// A client connection with its end of the pair.
    private final class Client {
        let connection: TLSConnection
        let socket: Descriptor
        private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        private(set) var received: [UInt8] = []

        init(
            _ context: borrowing ClientContext, _ socket: Int32, host: String = "localhost", isLiteral: Bool = false,
            resuming session: TLSSession? = nil
        ) throws {
            connection = try TLSConnection(context, host: host, isLiteral: isLiteral, resuming: session, pool: BufferPool())
            self.socket = Descriptor(owning: socket)
        }
        deinit { block.deallocate() }

        /// Nil once done; else why not.
        func shakeHands(host: String = "localhost") -> TLSError? {
            while true {
                let step = connection.shakeHands(host: host)
                _ = connection.flush(to: socket)
                switch step {
                case .done: return nil
                case .failed(let error): return error
                case .underWay:
                    guard case .moved(let count) = socket.receive(into: block.baseAddress!, capacity: block.count) else {
                        fatalError("the connection ended within the handshake")
                    }
                    connection.offer(UnsafeRawBufferPointer(rebasing: block[..<count]))
                }
            }
        }

        /// What comes until the connection ends, and how it ends.
        func readAll() -> TLSConnection.Received {
            var plain = [UInt8](repeating: 0, count: 16 << 10)
            while true {
                switch connection.read(into: &plain, capacity: plain.count) {
                case .bytes(let size): received += plain[..<size]
                case .starved:
                    guard case .moved(let count) = socket.receive(into: block.baseAddress!, capacity: block.count) else { return .failed }
                    connection.offer(UnsafeRawBufferPointer(rebasing: block[..<count]))
                case let end: return end
                }
            }
        }

        func write(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { connection.write($0) } }
        func flush() { while connection.waiting > 0 { _ = connection.flush(to: socket) } }
    }

    /// Two connected blocking sockets.
    private static func pair() -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    /// Serves one connection on a thread; `body` runs after a handshake that succeeded.
    private static func serve(_ context: ServerContext, on socket: Int32, _ body: @escaping @Sendable (borrowing ServerConnection) -> Void)
        -> Mailbox<Bool>
    {
        let outcome = Mailbox<Bool>()
        Thread(name: "server") {
            guard let server = ServerConnection(context, socket: socket) else { return outcome.post(false) }
            let isDone = server.handshake()
            if isDone { body(server) }
            close(socket)
            outcome.post(isDone)
        }.detach()
        return outcome
    }

    private static func outcome(_ mailbox: Mailbox<Bool>) -> Bool? {
        let poller = Poller()
        poller.add(mailbox.descriptor, .read)
        _ = poller.wait(milliseconds: 5_000)
        return mailbox.collect().first
    }

    private static func send(_ text: String, to server: borrowing ServerConnection) {
        _ = Array(text.utf8).withUnsafeBytes { server.write($0) }
    }

    @Test(arguments: [("localhost", false), ("127.0.0.1", true)])
    func aVerifiedServerIsSpokenTo(host: String, isLiteral: Bool) throws {
        let authority = try Authority()
        let (near, far) = Self.pair()
        let served = Self.serve(try authority.context(), on: far) { server in
            var block = [UInt8](repeating: 0, count: 100_000)
            var received: [UInt8] = []
            while received.count < 100_000 {
                let count = block.withUnsafeMutableBytes { server.read(into: $0) }
                guard count > 0 else { break }
                received += block[..<count]
            }
            Self.send("\(received.count) \(received.allSatisfy { $0 == 7 })", to: server)
            server.finish()
        }
        let context = try ClientContext(TrustAnchors(caFile: authority.file))
        let client = try Client(context, near, host: host, isLiteral: isLiteral)
        #expect(client.shakeHands(host: host) == nil)
        #expect(client.write([UInt8](repeating: 7, count: 100_000)))
        let waits = client.connection.waiting
        #expect(waits > 100_000)
        client.flush()
        #expect(client.readAll() == .ended)
        #expect(String(decoding: client.received, as: UTF8.self) == "100000 true")
        #expect(Self.outcome(served) == true)
    }

    @Test func theSystemsBundleIsReadOnceForWhomeverItHasAndForNobodyElse() throws {
        let (known, stranger) = (try Authority(), try Authority())
        let anchors = try TrustAnchors(caFile: nil, bundle: known.file)
        func refusal(_ anchors: TrustAnchors, _ authority: Authority) throws -> TLSError? {
            let (near, far) = Self.pair()
            let served = Self.serve(try authority.context(), on: far) { _ in }
            let context = try ClientContext(anchors)
            let client = try Client(context, near)
            let refusal = client.shakeHands()
            _ = Self.outcome(served)
            return refusal
        }
        #expect(try refusal(anchors, known) == nil)
        #expect(try refusal(anchors, stranger)?.isCertificateProblem == true)
        unlink(known.file)
        #expect(try refusal(anchors, known) == nil)
        #expect(try refusal(TrustAnchors(caFile: nil, bundle: known.file), known)?.isCertificateProblem == true)
    }

    enum Flaw: CaseIterable { case wrongAuthority, wrongName, wrongAddress, expired, selfSigned }

    @Test(arguments: Flaw.allCases)
    func aServerThatIsNotTheOneMeantIsRefused(flaw: Flaw) throws {
        let authority = try Authority()
        let other = try Authority()
        let server =
            switch flaw {
            case .wrongAuthority: try other.context()
            case .wrongName: try authority.context(names: ["DNS:other.example", "DNS:localhost.example", "IP:127.0.0.1"])
            case .wrongAddress: try authority.context(names: ["DNS:127.0.0.1", "IP:127.0.0.2"])
            case .expired: try authority.context(days: -1)
            case .selfSigned: try ServerContext(certificate: try Certificate(authority: "localhost"))
            }
        let (near, far) = Self.pair()
        let served = Self.serve(server, on: far) { server in
            // TLS 1.3's server may be done before the client has looked: then nothing but an alert may come.
            var block = [UInt8](repeating: 0, count: 100)
            let count = block.withUnsafeMutableBytes { server.read(into: $0) }
            if count > 0 { Issue.record("the client sent \(count) bytes") }
        }
        let host = flaw == .wrongAddress ? "127.0.0.1" : "localhost"
        let context = try ClientContext(TrustAnchors(caFile: authority.file))
        let client = try Client(context, near, host: host, isLiteral: flaw == .wrongAddress)
        let error = try #require(client.shakeHands(host: host))
        #expect(error.isCertificateProblem)
        #expect(error.description.contains(host))
        #expect(Self.outcome(served) != nil)
    }

    @Test func aPeerThatSpeaksAnotherLanguageIsNoCertificateProblem() throws {
        let authority = try Authority()
        let (near, far) = Self.pair()
        _ = write(far, "HTTP/1.1 400 Bad Request\r\n\r\n", 28)
        let context = try ClientContext(TrustAnchors(caFile: authority.file))
        let client = try Client(context, near)
        let error = try #require(client.shakeHands())
        #expect(!error.isCertificateProblem)
        close(far)
    }

    @Test func aSessionIsResumedEvenWhenItsConnectionWasCut() throws {
        let authority = try Authority()
        let server = try authority.context()
        let context = try ClientContext(TrustAnchors(caFile: authority.file))
        var session: TLSSession?
        for isSecond in [false, true] {
            let (near, far) = Self.pair()
            let served = Self.serve(server, on: far) { server in
                Self.send("hello", to: server)
                server.finish()
            }
            let client = try Client(context, near, resuming: session)
            #expect(client.shakeHands() == nil)
            let wasResumed = client.connection.wasResumed
            #expect(wasResumed == isSecond)
            #expect(client.readAll() == .ended)
            session = client.connection.session()
            #expect(session != nil)
            #expect(Self.outcome(served) == true)
        }
    }

    @Test(arguments: [true, false])
    func onlyAGoodbyeIsAnEnd(saysGoodbye: Bool) throws {
        let authority = try Authority()
        let (near, far) = Self.pair()
        let served = Self.serve(try authority.context(), on: far) { server in
            Self.send("half", to: server)
            if saysGoodbye { server.finish() }
        }
        let context = try ClientContext(TrustAnchors(caFile: authority.file))
        let client = try Client(context, near)
        #expect(client.shakeHands() == nil)
        #expect(client.readAll() == (saysGoodbye ? .ended : .failed))
        #expect(client.received == Array("half".utf8))
        #expect(Self.outcome(served) == true)
    }

    @Test func ourGoodbyeIsSeenAsAnEnd() throws {
        let authority = try Authority()
        let (near, far) = Self.pair()
        let served = Self.serve(try authority.context(), on: far) { server in
            var block = [UInt8](repeating: 0, count: 100)
            let counts = (0..<2).map { _ in block.withUnsafeMutableBytes { server.read(into: $0) } }
            #expect(counts == [4, 0])
        }
        let context = try ClientContext(TrustAnchors(caFile: authority.file))
        let client = try Client(context, near)
        #expect(client.shakeHands() == nil)
        #expect(client.write(Array("done".utf8)))
        client.connection.sayGoodbye()
        client.flush()
        #expect(Self.outcome(served) == true)
    }

    @Test func aRecordChangedOnTheWayFails() throws {
        let authority = try Authority()
        let (near, far) = Self.pair()
        let served = Self.serve(try authority.context(), on: far) { server in
            Self.send("hello", to: server)
            // An application record that nobody has sealed.
            let forged: [UInt8] = [0x17, 3, 3, 0, 32] + [UInt8](repeating: 0xaa, count: 32)
            _ = write(far, forged, forged.count)
        }
        let context = try ClientContext(TrustAnchors(caFile: authority.file))
        let client = try Client(context, near)
        #expect(client.shakeHands() == nil)
        #expect(client.readAll() == .failed)
        #expect(client.received == Array("hello".utf8))
        #expect(Self.outcome(served) == true)
    }
}
