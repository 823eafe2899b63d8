internal import COpenSSL
internal import Glibc
internal import Sockets

/// Ciphertext on its way: a view of what was just received, and what waits to be sent. What OpenSSL reads and writes
/// instead of a socket (a BIO), so that one system call moves many records.
@safe
struct Wire: ~Copyable {
    var inbound: UnsafeRawPointer?
    var inboundCount = 0
    var outbound: ByteQueue

    init(pool: BufferPool) { outbound = ByteQueue(pool: pool) }

    @inline(__always)
    static func of(_ bio: OpaquePointer?) -> UnsafeMutablePointer<Wire> {
        unsafe BIO_get_data(bio).assumingMemoryBound(to: Wire.self)
    }

    /// As `recv`: bytes copied, or -1 when there are none now.
    @inline(__always)
    mutating func read(_ target: UnsafeMutableRawPointer, _ size: Int) -> Int32 {
        let moved = min(size, inboundCount)
        guard moved > 0, let source = unsafe inbound else { return -1 }
        unsafe copyBytes(target, source, moved)
        unsafe inbound = unsafe source + moved
        inboundCount -= moved
        return Int32(moved)
    }

    /// The table of functions that makes a `Wire` a BIO.
    static func makeMethod() -> OpaquePointer? {
        guard let method = unsafe BIO_meth_new(kb_wire_type(), "keybearer wire") else { return nil }
        unsafe BIO_meth_set_write(method) { bio, bytes, count in
            guard let bytes = unsafe bytes, count > 0 else { return 0 }
            unsafe Wire.of(bio).pointee.outbound.append(bytes, Int(count))
            return count
        }
        unsafe BIO_meth_set_read(method) { bio, bytes, count in
            unsafe kb_clear_retry(bio)
            guard let bytes = unsafe bytes else { return 0 }
            let moved = unsafe Wire.of(bio).pointee.read(bytes, Int(count))
            if moved < 0 { unsafe kb_retry_read(bio) }
            return moved
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        unsafe BIO_meth_set_create(method) { bio in
            unsafe BIO_set_init(bio, 1)
            return 1
        }
        return unsafe method
    }
}
