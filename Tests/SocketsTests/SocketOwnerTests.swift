import Glibc
@testable import Sockets
import Testing

@Suite struct SocketOwnerTests {
    /// A caller's connection over loopback, and our end of it.
    private static func pair(_ literal: String) throws -> (caller: Int32, accepted: Int32) {
        let listener = try TCP.listen(on: try #require(SocketAddress(literal: literal, port: 0)))
        let bound = TCP.localAddress(of: listener)
        guard case .started(let near) = TCP.dial(try #require(bound)) else { throw SocketError(operation: "dial", code: 0) }
        let poller = Poller()
        poller.add(listener.number, .read)
        _ = poller.wait(milliseconds: 2_000)
        return (near.release(), TCP.accept(from: listener).socket)
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.9", "::1"])
    func theKernelNamesTheUserOfALoopbackCaller(address: String) throws {
        let (caller, accepted) = try Self.pair(address)
        defer { [caller, accepted].forEach { close($0) } }
        let found = PeerLookup().owner(ofTCP: accepted)
        let owner = try #require(found)
        #expect(owner.user == geteuid())
        var status = stat()
        fstat(caller, &status)
        #expect(UInt(owner.inode) == status.st_ino)
        #expect(SocketHolder.process(holding: owner.inode) == getpid())
        #expect(SocketHolder.process(holding: owner.inode, user: geteuid() &+ 1) == nil)
    }

    @Test func aCallerWhoHasClosedIsUnknownAndNotRoot() throws {
        let (caller, accepted) = try Self.pair("127.0.0.1")
        defer { close(accepted) }
        close(caller)
        let owner = PeerLookup().owner(ofTCP: accepted)
        #expect(owner == nil)
    }

    @Test func whatIsNoConnectionHasNoOwner() throws {
        let listener = try TCP.listen(on: try #require(SocketAddress(literal: "127.0.0.1", port: 0)))
        let owners = [PeerLookup().owner(ofTCP: listener.number), PeerLookup().owner(ofTCP: -1)]
        #expect(owners == [nil, nil])
    }

    @Test func thisKernelTells() {
        let works = PeerLookup().works()
        #expect(works)
    }

    @Test func theProcessThatListensOnAPortIsNamed() throws {
        let listener = try TCP.listen(on: try #require(SocketAddress(literal: "127.0.0.1", port: 0)))
        let address = TCP.localAddress(of: listener)
        #expect(SocketHolder.describe(listenerOn: try #require(address).port).contains("process \(getpid())"))
    }

    @Test func aProcessHasAWorkingDirectory() {
        #expect(SocketHolder.workingDirectory(of: getpid())?.hasPrefix("/") == true)
        #expect(SocketHolder.workingDirectory(of: -1) == nil)
    }
}
