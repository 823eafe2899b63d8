public import Credentials

/// Waits for the browser to come back from the provider (RFC 8252 §7.3): on 127.0.0.1 and ::1, for one answer with the right state,
/// and then no more.
///
/// Its requests come from whoever can reach a loopback port, so everything about them is bounded, and a wrong one changes nothing.
public struct CallbackListener: ~Copyable, Sendable {
    /// Why nothing listens; the caller asks for a paste at once.
    public enum Failure: Error, Sendable, Equatable {
        /// Another program has the port, on either address: it would get the code.
        case portTaken(UInt16)
        /// The system's refusal; errno.
        case system(Int32)
    }

    /// What the browser brought.
    public struct Arrival: Sendable {
        /// The code, or why there is none.
        public let result: Result<AuthorizationCode, LoginFailure>
        /// The browser, still waiting for its page.
        public let tab: BrowserTab
    }

    /// How long a request may take to arrive.
    static let requestTime = Duration.seconds(10)
    /// How many may be on their way at once: a browser opens spare connections.
    static let connectionLimit = 32

    private let listeners: [CallbackSocket]

    /// Listens where `redirect` says, on both addresses of this machine; on IPv4 alone where there is no IPv6.
    public init(_ redirect: LoopbackRedirect) throws(Failure) {
        var listeners: [CallbackSocket] = []
        for family in CallbackSocket.Family.allCases {
            do throws(CallbackSocket.ListenFailure) {
                listeners.append(try CallbackSocket.listen(family, port: redirect.port))
            } catch {
                switch error {
                case .taken: throw .portTaken(redirect.port)
                case .familyUnavailable where family == .ipv6: break
                case .familyUnavailable: throw .system(0)
                case .system(let code): throw .system(code)
                }
            }
        }
        self.listeners = listeners
    }

    /// Waits for the answer to `request`, as long as `waiting` says so (asked at least ten times a second). Nil when it said no.
    /// Afterwards nothing listens any more.
    public consuming func wait(for request: AuthorizationRequest, while waiting: () -> Bool) -> Arrival? {
        var connections: [Connection] = []
        while waiting() {
            let ready = CallbackSocket.ready(listeners + connections.map(\.socket), milliseconds: 100)
            let speaking = zip(connections, ready.dropFirst(listeners.count)).filter { $0.1 }.map(\.0)
            for (listener, isReady) in zip(listeners, ready) where isReady { Self.admit(from: listener, to: &connections) }
            for connection in speaking {
                if let arrival = Self.serve(connection, request) { return arrival }
            }
            connections.removeAll { $0.isOver || ContinuousClock.now >= $0.deadline }
        }
        return nil
    }

    private static func admit(from listener: CallbackSocket, to connections: inout [Connection]) {
        while let socket = listener.accept() {
            // The oldest makes room: whoever holds connections open must not keep the browser out.
            if connections.count >= connectionLimit { connections.removeFirst() }
            connections.append(Connection(socket))
        }
    }

    /// Reads what has come; the arrival that ends the wait, if this is it.
    private static func serve(_ connection: Connection, _ request: AuthorizationRequest) -> Arrival? {
        guard let more = connection.socket.receive(limit: CallbackRequest.limit) else {
            connection.isOver = true
            return nil
        }
        connection.bytes += more
        switch CallbackRequest(connection.bytes, redirect: request.redirect) {
        case .incomplete:
            return nil
        case .refused(let status):
            answer(connection, .unknown, status)
            return nil
        case .answer(let answer):
            do throws(LoginFailure) {
                let code = try request.accept(answer, from: .callback)
                return Arrival(result: .success(code), tab: BrowserTab(connection.socket))
            } catch {
                if error.reason == .denied { return Arrival(result: .failure(error), tab: BrowserTab(connection.socket)) }
                self.answer(connection, .mismatch, 400)
                return nil
            }
        }
    }

    private static func answer(_ connection: Connection, _ page: CallbackPage, _ status: Int) {
        // No time is spent on who is refused: the browser may be next in line.
        connection.socket.finish(sending: page.response(status: status), within: .zero)
        connection.isOver = true
    }

    /// A request on its way.
    private final class Connection {
        let socket: CallbackSocket
        let deadline = ContinuousClock.now + CallbackListener.requestTime
        var bytes: [UInt8] = []
        var isOver = false

        init(_ socket: CallbackSocket) { self.socket = socket }
    }
}

/// The browser that brought the answer: it is told how the login ended when that is known, and not before.
public final class BrowserTab: Sendable {
    private let socket: CallbackSocket

    init(_ socket: CallbackSocket) { self.socket = socket }

    /// Shows the end of the login.
    public func show(_ page: CallbackPage) {
        socket.finish(sending: page.response(status: page == .worked ? 200 : 400), within: .seconds(1))
    }
}
