import Glibc

/// A loopback socket, closed when its last owner goes. All that the callback asks of the system is in this file.
///
/// Non-blocking; for one thread at a time, but it may pass from one to another.
final class CallbackSocket: Sendable {
    let number: Int32

    private init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// The two addresses a browser may find `localhost` at.
    enum Family: CaseIterable {
        case ipv4, ipv6
    }

    /// Why there is no listener.
    enum ListenFailure: Error, Equatable {
        /// Someone else has the port.
        case taken
        /// This machine does not speak the family.
        case familyUnavailable
        /// Anything else; errno.
        case system(Int32)
    }

    /// A listener on the loopback address of `family`.
    static func listen(_ family: Family, port: UInt16) throws(ListenFailure) -> CallbackSocket {
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let number = socket(domain, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { throw failure() }
        let listener = CallbackSocket(owning: number)
        // For the connections of an earlier login in TIME_WAIT; another listener still keeps the port to itself.
        listener.set(SOL_SOCKET, SO_REUSEADDR, 1)
        if family == .ipv6 { listener.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        guard listener.bind(family, port), Glibc.listen(number, 16) == 0 else { throw failure() }
        return listener
    }

    /// The next connection; nil when none waits.
    func accept() -> CallbackSocket? {
        let connection = Glibc.accept(number, nil, nil)
        guard connection >= 0 else { return nil }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        _ = fcntl(connection, F_SETFL, O_NONBLOCK)
        return CallbackSocket(owning: connection)
    }

    /// What has arrived, at most `limit` bytes. Nil: nothing more will come. Empty: nothing yet.
    func receive(limit: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe recv(number, &bytes, limit, 0)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? [] : nil }
        return count == 0 ? nil : Array(bytes[..<count])
    }

    /// Sends `bytes`, for as long as `time`: a page fits any socket's buffer, so that only a hostile peer needs any of it. Then ends the
    /// sending side and waits for the other end in what is left of the time, since a close with bytes unread resets the connection,
    /// perhaps before the page is shown.
    func finish(sending bytes: [UInt8], within time: Duration) {
        var rest = bytes[...]
        let deadline = ContinuousClock.now + time
        repeat {
            let count = unsafe rest.withUnsafeBytes { unsafe send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EAGAIN && errno != EINTR { return }
            if !rest.isEmpty { _ = Self.ready([self], events: POLLOUT, milliseconds: 50) }
        } while !rest.isEmpty && ContinuousClock.now < deadline
        shutdown(number, Int32(SHUT_WR))
        while ContinuousClock.now < deadline, let more = receive(limit: 4096) {
            if more.isEmpty { _ = Self.ready([self], milliseconds: 50) }
        }
    }

    /// Which of `sockets` have something to read, after at most `milliseconds`.
    static func ready(_ sockets: [CallbackSocket], events: Int32 = POLLIN, milliseconds: Int32) -> [Bool] {
        var entries = sockets.map { pollfd(fd: $0.number, events: Int16(events), revents: 0) }
        let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
        return entries.map { count > 0 && $0.revents != 0 }
    }

    private func bind(_ family: Family, _ port: UInt16) -> Bool {
        switch family {
        case .ipv4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            return unsafe bind(&address)
        case .ipv6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            return unsafe bind(&address)
        }
    }

    private func bind<Address>(_ address: UnsafeMutablePointer<Address>) -> Bool {
        let size = socklen_t(MemoryLayout<Address>.size)
        return unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Glibc.bind(number, $0, size) == 0 }
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func failure() -> ListenFailure {
        switch errno {
        case EADDRINUSE: .taken
        case EADDRNOTAVAIL, EAFNOSUPPORT: .familyUnavailable
        case let code: .system(code)
        }
    }
}
