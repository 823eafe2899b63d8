import Glibc
import Testing

@testable import Sockets

/// What a service manager is told, and what it hands over.
@Suite(.serialized) struct ServiceManagerTests {
    /// A datagram socket as a manager has one, at a path or under an abstract name.
    private func bound(_ address: String) -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(address.utf8)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        if address.hasPrefix("@") { name.sun_path.0 = 0 }
        let size = socklen_t(2 + bytes.count + (address.hasPrefix("@") ? 0 : 1))
        let code = withUnsafePointer(to: &name) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) } }
        #expect(code == 0)
        return socket
    }

    private func told(_ socket: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    @Test(arguments: ["/tmp/kb-notify-\(getpid())", "@kb-notify-\(getpid())"])
    func itIsToldByADatagram(address: String) throws {
        let socket = bound(address)
        defer {
            close(socket)
            unlink(address)
        }
        let manager = try #require(ServiceManager(address: address))
        manager.ready("one\ntwo")
        #expect(told(socket) == "READY=1\nSTATUS=one two")
        manager.reloading()
        #expect(told(socket).hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        manager.stopping()
        #expect(told(socket) == "STOPPING=1")
    }

    @Test(arguments: ["", "/", "@", "relative", "vsock:2:1"])
    func anAddressOfAnotherKindIsNotSpokenTo(address: String) {
        #expect(ServiceManager(address: address) == nil)
    }

    @Test func itsVariablesAreGoneOnceTheyAreTaken() throws {
        setenv("NOTIFY_SOCKET", "@kb-nobody", 1)
        setenv("LISTEN_PID", "1", 1)
        setenv("LISTEN_FDS", "1", 1)
        #expect(ServiceManager.takeFromEnvironment() != nil)
        #expect(try ServiceManager.takeSockets().isEmpty, "they are for another process")
        for name in ["NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS"] { #expect(getenv(name) == nil) }
    }

    @Test func theReserveBeginsBelowTheLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let ceiling = DescriptorReserve.ceiling
        #expect(ceiling > 0 && ceiling < Int32(clamping: limit.rlim_cur))
        #expect(DescriptorReserve.hasRoom)
    }
}
