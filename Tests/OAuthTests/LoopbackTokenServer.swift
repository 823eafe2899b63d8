import Glibc
import Synchronization

/// A token endpoint on a loopback port that answers every request with given bytes and keeps what it was sent.
final class LoopbackTokenServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let requests = Mutex<[String]>([])

    /// What is answered, and how.
    enum Behaviour: Sendable {
        case answer(String)
        /// Headers, then bytes without end.
        case flood(Int)
        /// Nothing, for that long.
        case silence(milliseconds: UInt32)
        /// The connection is closed after the request.
        case hangUp
        /// A shorter body than announced.
        case cut
    }

    /// A whole answer with its length.
    static func response(_ status: String, _ body: String, headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    init(_ behaviour: Behaviour) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(listener, $0, length) == 0 && listen(listener, 8) == 0)
                getsockname(listener, $0, &length)
            }
            return UInt16(bigEndian: $0.pointee.sin_port)
        }
        TestThread { [self] in serve(behaviour) }.detach()
    }

    deinit { close(listener) }

    var url: String { "http://127.0.0.1:\(port)/token" }

    var received: [String] { requests.withLock { $0 } }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ behaviour: Behaviour) {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            requests.withLock { $0.append(readRequest(connection)) }
            switch behaviour {
            case .answer(let text): send(text, connection)
            case .flood(let count):
                send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", connection)
                let block = String(repeating: "x", count: 64 << 10)
                for _ in 0..<(count / block.utf8.count) where !send(block, connection) { break }
            case .silence(let milliseconds): usleep(milliseconds * 1000)
            case .hangUp: break
            case .cut: send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"access_token\":\"hal", connection)
            }
            close(connection)
        }
    }

    private func readRequest(_ connection: Int32) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let head = text.firstRange(of: "\r\n\r\n") {
                let length = text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: " ").last ?? "") }
                if text[head.upperBound...].utf8.count >= length ?? 0 { return text }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return text }
            // A TLS handshake: there is no request to wait for.
            if buffer[0] == 0x16 { return "TLS" }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }

    @discardableResult
    private func send(_ text: String, _ connection: Int32) -> Bool {
        var bytes = Array(text.utf8)
        while !bytes.isEmpty {
            let count = Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return false }
            bytes.removeFirst(count)
        }
        return true
    }
}
