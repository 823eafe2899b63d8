@testable import Configuration
import Glibc
import Logging
import Proxy
import Sockets
import Testing

/// The server's beginning and end.
@Suite(.serialized) struct ServerTests {
    private static let store =
        #"{"version":1,"profiles":{"anthropic:default":{"type":"api_key","provider":"anthropic","key":"sk-one"}}}"#
    private static let health = Array("GET /-/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

    private static func start(_ change: (inout Settings) -> Void) throws -> Server {
        var settings = try Settings(file: nil)
        change(&settings)
        return try Server(settings: settings, sink: TestFolder().path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func theDrainLetsAnAnswerUnderWayEndAndAcceptsNothingNew() throws {
        let stage = try Stage(settings: #"{ timeouts: { drain: "8s" } }"#, stores: ["main": Self.store])
        let crew = Crew()
        crew.start {
            guard let socket = stage.accept() else { return stage.report("no connection") }
            var reader = MessageReader(socket)
            guard (try? reader.readHead(isRequest: true)) != nil else { return stage.report("no request") }
            socket.send(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n".utf8))
            _ = stage.waitFor("draining")
            socket.send(Array("3\r\ntwo\r\n0\r\n\r\n".utf8))
            // What is kept idle upstream must not keep the server.
            _ = stage.waitFor("stopped")
        }
        let idle = stage.dial()
        idle.send(Self.health)
        var idleReader = MessageReader(idle)
        try idleReader.readHead(isRequest: false)
        #expect(try idleReader.readBody() == Array("ok\n".utf8))

        let client = stage.dial()
        client.send(Array("GET /anthropic/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        #expect(try reader.readChunk() == Array("one".utf8))
        stage.drain()
        guard case .ended = idle.receive() else { throw Mismatch(expected: "the idle client let go", got: "not") }
        stage.raise("draining")
        #expect(try reader.readChunk() == Array("two".utf8))
        #expect(try reader.readChunk() == nil)
        guard case .ended = client.receive() else { throw Mismatch(expected: "the end", got: "more") }
        #expect(stage.waitUntilStopped())
        stage.raise("stopped")
        crew.join()
        #expect(stage.reported == [])
    }

    @Test func theDrainCutsWhatDoesNotEnd() throws {
        let stage = try Stage(stores: ["main": Self.store])
        let client = stage.dial()
        client.send(Array("GET /anthropic/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        let socket = try #require(stage.accept())
        stage.drain()
        #expect(!stage.waitUntilStopped())
        guard case .ended = client.receive() else { throw Mismatch(expected: "the end", got: "more") }
        while case .bytes = socket.receive() {}
    }

    @Test func beyondTheLimitAConnectionWaitsUntilOneEnds() throws {
        let stage = try Stage(settings: "{ limits: { connections: 2 } }")
        defer { stage.end() }
        let first = stage.dial()
        let second = stage.dial()
        for client in [first, second] {
            client.send(Self.health)
            guard case .bytes = client.receive() else { throw Mismatch(expected: "an answer", got: "none") }
        }
        let third = stage.dial()
        third.send(Self.health)
        guard case .nothing = third.receive(within: 300) else { throw Mismatch(expected: "no answer yet", got: "one") }
        first.close()
        guard case .bytes = third.receive() else { throw Mismatch(expected: "an answer", got: "none") }
    }

    @Test func anAddressInUseIsNamedWithWhatToDo() throws {
        let (taken, port) = PlainSocket.bound()
        defer { taken.close() }
        let error = #expect(throws: StartError.self) { try Self.start { $0.listen = [ListenAddress(host: "127.0.0.1", port: port)] } }
        #expect(error?.description.contains("127.0.0.1:\(port)") == true)
        #expect(error?.description.contains("--listen") == true)
    }

    @Test(arguments: ["0.0.0.0", "192.168.0.1", "::", "example.com"])
    func anAddressBeyondLoopbackIsRefused(host: String) throws {
        let error = #expect(throws: StartError.self) { try Self.start { $0.listen = [ListenAddress(host: host, port: 0)] } }
        #expect(error?.description.contains("loopback") == true)
    }

    @Test func anAnchorFileThatCannotBeReadEndsTheStart() throws {
        let error = #expect(throws: StartError.self) {
            try Self.start {
                $0.listen = [ListenAddress(host: "127.0.0.1", port: 0)]
                $0.upstream.caFile = "/nowhere/ca.pem"
            }
        }
        #expect(error?.description.contains("/nowhere/ca.pem") == true)
    }

    @Test func theControlSocketTellsWhereTheServerServes() throws {
        let folder = TestFolder()
        let path = folder.path + "/control.sock"
        let text = SettingsText(path: "settings", bytes: Array("{ listen: [\"127.0.0.1:0\"], workers: 1, timeouts: { drain: 0 } }".utf8))
        let server = try Server(
            settings: try Settings(file: text), sink: folder.path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            controlSocket: path)
        guard case .started(let dialled) = UnixSocket.dial(path) else { throw Mismatch(expected: "a control socket", got: "none") }
        let socket = PlainSocket(owning: dialled.release())
        socket.send(Array("GET /-/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        guard case .bytes(let bytes) = socket.receive() else { throw Mismatch(expected: "an answer", got: "none") }
        let answer = String(decoding: bytes, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        for address in server.addresses { #expect(answer.contains("\"\(address)\"")) }
        #expect(!server.addresses.contains { $0.hasPrefix("unix:") })
        server.drain()
        server.waitUntilStopped()
        #expect(access(path, F_OK) != 0, "the socket's file goes with the server")
    }

    @Test func itIsIdleWhenNobodyIsConnectedAndNotBefore() throws {
        let text = SettingsText(path: "settings", bytes: Array("{ listen: [\"127.0.0.1:0\"], workers: 2, timeouts: { drain: 0 } }".utf8))
        let idle = Bell()
        let server = try Server(
            settings: try Settings(file: text), sink: TestFolder().path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            whenIdle: { idle.ring() })
        let poller = Poller()
        poller.add(idle.descriptor, .read)
        let port = try #require(server.addresses.first?.split(separator: ":").last.flatMap { UInt16($0) })
        #expect(poller.wait(milliseconds: PlainSocket.patience) == 1, "after its start")
        for round in 1...2 {
            let client = PlainSocket.connected(to: port)
            client.send(Self.health)
            guard case .bytes = client.receive() else { throw Mismatch(expected: "an answer", got: "none") }
            idle.silence()
            #expect(poller.wait(milliseconds: 1_500) == 0, "round \(round): somebody is connected")
            client.close()
            #expect(poller.wait(milliseconds: PlainSocket.patience) == 1, "round \(round): nobody is any more")
        }
        server.drain()
        server.waitUntilStopped()
    }
}
