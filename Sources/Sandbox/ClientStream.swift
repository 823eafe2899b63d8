internal import CLinux
internal import Glibc
internal import Sockets
internal import TLS

/// The bytes of one client's connection, plain or under TLS, read and written by one thread that blocks.
///
/// The socket belongs to the `Listener`, which may shut it down at any time: every call then fails, and the thread comes to its end.
struct ClientStream: ~Copyable {
    private let socket: Int32
    private let tls: ServerConnection?
    private var buffer: [UInt8] = []
    private var unread = 0..<0

    /// A TLS record's worth; enough for any usual head.
    private static let initialCapacity = 1 << 14
    /// The largest head that the parser takes.
    private static let largestCapacity = 1 << 16

    init(socket: Int32, tls: consuming ServerConnection?) {
        self.socket = socket
        self.tls = tls
    }

    // MARK: Reading

    /// How many bytes are here and not yet used.
    var unreadCount: Int { unread.count }

    /// Lets `body` look at the bytes that are here and not yet used.
    borrowing func withUnread<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        unsafe buffer.withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0[unread])) }
    }

    /// Drops `count` bytes that have been used.
    mutating func consume(_ count: Int) {
        unread = unread.lowerBound + count..<unread.upperBound
        if unread.isEmpty { unread = 0..<0 }
    }

    /// Waits for more bytes; false at the end of the connection, or when a message does not fit.
    mutating func fill() -> Bool {
        var buffer: [UInt8] = []
        swap(&buffer, &self.buffer)
        defer { self.buffer = buffer }
        // An idle connection keeps no buffer: a thousand streams that wait cost little.
        if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Self.initialCapacity) }
        if unread.lowerBound > 0 {
            let moved = Array(buffer[unread])
            buffer.replaceSubrange(0..<moved.count, with: moved)
            unread = 0..<moved.count
        }
        let end = unread.upperBound
        if end == buffer.count {
            guard end < Self.largestCapacity else { return false }
            buffer += [UInt8](repeating: 0, count: Self.largestCapacity - end)
        }
        let count = unsafe buffer.withUnsafeMutableBytes { whole in
            unsafe receive(into: UnsafeMutableRawBufferPointer(rebasing: whole[end...]))
        }
        guard count > 0 else { return false }
        unread = unread.lowerBound..<end + count
        return true
    }

    /// Gives the read buffer back while nothing is expected for long.
    mutating func releaseBuffer() {
        if unread.isEmpty { buffer = [] }
    }

    private borrowing func receive(into target: UnsafeMutableRawBufferPointer) -> Int {
        if tls != nil { return unsafe tls!.read(into: target) }
        return unsafe recv(socket, target.baseAddress, target.count, 0)
    }

    // MARK: Writing

    /// Sends all of `bytes`; false when the client has left.
    borrowing func write(_ bytes: some Collection<UInt8>) -> Bool {
        if let done = bytes.withContiguousStorageIfAvailable({ unsafe send(UnsafeRawBufferPointer($0)) }) { return done }
        return unsafe Array(bytes).withUnsafeBytes { unsafe send($0) }
    }

    private borrowing func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if tls != nil { return unsafe tls!.write(bytes) }
        var sent = 0
        while sent < bytes.count {
            let count = unsafe kb_send(
                socket, UnsafeRawBufferPointer(rebasing: bytes[sent...]).baseAddress.unsafelyUnwrapped, bytes.count - sent)
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Ends TLS in an orderly way.
    borrowing func finish() {
        if tls != nil { tls!.finish() }
    }

    // MARK: Waiting

    /// Waits for `duration`; false, at once, when the client leaves meanwhile.
    borrowing func pause(_ duration: Duration) -> Bool {
        guard duration > .zero else { return true }
        let nanoseconds = Int64(duration / .nanoseconds(1))
        // POLLRDHUP, which Glibc's module hides: the client has closed at least its sending side. Bytes that have arrived are not
        // asked for: a pipelined request must not end the pause.
        let hangUp: Int16 = 0x2000
        var entry = pollfd(fd: socket, events: hangUp, revents: 0)
        if unsafe poll(&entry, 1, Int32(clamping: nanoseconds / 1_000_000)) != 0 { return false }
        // poll(2) counts milliseconds; the rest is too short to miss anything in.
        var rest = timespec(tv_sec: 0, tv_nsec: Int(nanoseconds % 1_000_000))
        if rest.tv_nsec > 0 { unsafe nanosleep(&rest, nil) }
        return true
    }
}
