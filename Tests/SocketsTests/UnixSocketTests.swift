import Glibc
@testable import Sockets
import Testing

@Suite struct UnixSocketTests {
    /// A folder that goes with the test.
    private final class Folder {
        let path: String
        init() {
            var template = Array("/tmp/keybearer-unix-XXXXXX".utf8CString)
            path = String(cString: mkdtemp(&template))
        }
        deinit { _ = system("rm -rf '\(path)'") }
    }

    private static func accepted(from listener: borrowing Descriptor) -> Int32 {
        let poller = Poller()
        poller.add(listener.number, .read)
        _ = poller.wait(milliseconds: 2_000)
        return TCP.accept(from: listener).socket
    }

    @Test func theSocketIsItsOwnersAloneAndTellsWhoCalls() throws {
        let folder = Folder()
        umask(0)
        defer { umask(0o022) }
        let path = folder.path + "/kb.sock"
        let listener = try UnixSocket.listen(at: path)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode == S_IFSOCK | 0o600)
        guard case .started(let caller) = UnixSocket.dial(path) else { throw SocketError(operation: "dial", code: 0) }
        let connection = Self.accepted(from: listener)
        defer { close(connection) }
        #expect(PeerLookup.owner(ofUnix: connection) == SocketOwner(user: geteuid(), process: getpid()))
        withExtendedLifetime(caller.number) {}
    }

    @Test func whatADeadProcessLeftIsTakenAwayAndALiveOneStays() throws {
        let folder = Folder()
        let path = folder.path + "/kb.sock"
        try UnixSocket.listen(at: path).discard()
        let second = try UnixSocket.listen(at: path)
        let error = #expect(throws: SocketError.self) { try UnixSocket.listen(at: path).discard() }
        #expect(error?.code == EADDRINUSE)
        UnixSocket.remove(path)
        #expect(access(path, F_OK) == 0, "a live listener's file stays")
        second.discard()
        // A process that another test starts has our descriptors until it is another program.
        for _ in 0..<400 where access(path, F_OK) == 0 {
            UnixSocket.remove(path)
            usleep(5000)
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test func aFileThatIsNoSocketIsLeftAsItIs() throws {
        let folder = Folder()
        let path = folder.path + "/notes"
        close(creat(path, 0o600))
        let error = #expect(throws: SocketError.self) { try UnixSocket.listen(at: path).discard() }
        #expect(error?.code == EEXIST)
        #expect(access(path, F_OK) == 0)
    }

    @Test func aPathTooLongForAnAddressIsReachedAllTheSame() throws {
        let folder = Folder()
        var path = folder.path
        for _ in 0..<4 {
            path += "/" + String(repeating: "d", count: 60)
            mkdir(path, 0o700)
        }
        path += "/kb.sock"
        let listener = try UnixSocket.listen(at: path)
        guard case .started(let caller) = UnixSocket.dial(path) else { throw SocketError(operation: "dial", code: 0) }
        #expect(Self.accepted(from: listener) >= 0)
        withExtendedLifetime(caller.number) {}
    }
}
