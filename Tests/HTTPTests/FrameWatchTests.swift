import HTTP
import Sockets
import Testing

@Suite struct FrameWatchTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

    /// A server's session that was sent the preface, settings and `frames`, all in pieces of `size` bytes.
    private static func isAbused(by frames: [UInt8], inPiecesOf size: Int) -> Bool {
        let session = HTTP2Session(HTTP2Scratch(pool: BufferPool()), isServer: true, connection: 1)
        defer { session.end() }
        let bytes = preface + settings + frames
        var at = 0
        while at < bytes.count {
            let piece = bytes[at..<min(at + size, bytes.count)]
            at += size
            guard piece.withUnsafeBytes({ session.receive($0, now: 0) }) else { return session.isAbusive }
            session.takeFrames()
            session.consumeAll()
        }
        return false
    }

    /// Frames of each kind that nghttp2 answers, passes over, or hands on.
    @Test(arguments: [
        ("PING", [0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] as [UInt8]), ("SETTINGS", settings),
        ("unknown", [0, 0, 0, 0xfa, 0, 0, 0, 0, 0]),
        ("PRIORITY", [0, 0, 5, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1]), ("WINDOW_UPDATE", [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ])
    func aThousandAndAHundredAreTooManyAndAHundredAreNot(name: String, frame: [UInt8]) {
        for size in [1, 7, 9, 4_096] {
            #expect(!Self.isAbused(by: Array(repeating: frame, count: 100).flatMap { $0 }, inPiecesOf: size))
            #expect(Self.isAbused(by: Array(repeating: frame, count: 1_100).flatMap { $0 }, inPiecesOf: size))
        }
    }
}
