internal import CLinux
internal import Glibc

/// Looks names up on a thread of its own, since `getaddrinfo` blocks and no loop may.
public final class Resolver: Sendable {
    /// What a look-up came to.
    public enum Outcome: Sendable {
        /// At least one address, in the order the system prefers (RFC 6724).
        case addresses([SocketAddress])
        /// The system's words for why there is none.
        case failed(String)
    }
    private struct Question: Sendable {
        let host: String
        let answer: @Sendable (Outcome) -> Void
    }
    private enum Message: Sendable {
        case look(Question)
        case stop
    }
    private let questions = Mailbox<Message>()

    /// Starts the thread; it ends when `stop` is called.
    public init() {
        let questions = questions
        Thread(name: "kb-resolver") {
            let poller = Poller()
            poller.add(questions.descriptor, .read)
            while true {
                _ = poller.wait(milliseconds: -1)
                for message in questions.collect() {
                    guard case .look(let question) = message else { return }
                    question.answer(Self.look(question.host))
                }
            }
        }.detach()
    }

    /// Asks for the addresses of `host`; `answer` is called on the resolver's thread. The port of the addresses is 0.
    public func resolve(_ host: String, _ answer: @escaping @Sendable (Outcome) -> Void) {
        questions.post(.look(Question(host: host, answer: answer)))
    }
    /// Ends the thread after the look-ups already asked for.
    public func stop() { questions.post(.stop) }

    /// One blocking look-up.
    public static func look(_ host: String) -> Outcome {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failed(unsafe String(cString: gai_strerror(code))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            var storage = sockaddr_storage()
            unsafe memcpy(&storage, entry.pointee.ai_addr, Int(entry.pointee.ai_addrlen))
            if let address = SocketAddress(storage) { addresses.append(address) }
            unsafe next = unsafe entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failed("the name has no IPv4 or IPv6 address") : .addresses(addresses)
    }
}
