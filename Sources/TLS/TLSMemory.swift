internal import COpenSSL
internal import Glibc
internal import Sockets

/// OpenSSL's own allocations (a few for every record, two buffers of 16.5 KiB among them) come from lists of each thread, so that records are
/// read and written without malloc, and a thousand handshakes leave no holes in the heap.
public enum TLSMemory {
    /// Has OpenSSL allocate from such lists; for the whole process, and only before OpenSSL has allocated anything (CRYPTO_set_mem_functions).
    /// False when it is too late for that, which costs nothing but speed.
    @discardableResult
    public static func usePools() -> Bool {
        guard threadsPool != nil else { return false }
        return unsafe CRYPTO_set_mem_functions(takes, resizes, gives) == 1
    }

    /// Gives back to malloc what the calling thread's lists keep.
    public static func trim() {
        guard let threadsPool, let handle = unsafe pthread_getspecific(threadsPool) else { return }
        unsafe NodePool(handle: handle).trim()
    }
}

/// Nil when the process has no key left. A constant: every access of a variable would be checked at run time for its exclusivity, at each of the
/// dozens of allocations that a record costs.
private let threadsPool: pthread_key_t? = {
    var key = pthread_key_t()
    return unsafe pthread_key_create(&key, poolEnds) == 0 ? key : nil
}()

/// What a thread keeps of each size at most: enough for what one turn of a loop has in use.
private let kept = 256 << 10

@inline(__always)
private func pool() -> NodePool {
    if let handle = unsafe pthread_getspecific(threadsPool.unsafelyUnwrapped) { return unsafe NodePool(handle: handle) }
    let made = NodePool(keeping: kept)
    unsafe pthread_setspecific(threadsPool.unsafelyUnwrapped, made.handle)
    return made
}

private func poolEnds(_ handle: UnsafeMutableRawPointer?) {
    if let handle = unsafe handle { unsafe NodePool(handle: handle).end() }
}

private func takes(_ size: Int, _ file: UnsafePointer<CChar>?, _ line: Int32) -> UnsafeMutableRawPointer? {
    size == 0 ? nil : unsafe pool().take(size)
}

private func resizes(
    _ node: UnsafeMutableRawPointer?, _ size: Int, _ file: UnsafePointer<CChar>?, _ line: Int32
) -> UnsafeMutableRawPointer? {
    guard let node = unsafe node else { return unsafe takes(size, file, line) }
    guard size > 0 else {
        unsafe pool().give(node)
        return nil
    }
    return unsafe pool().resize(node, size)
}

private func gives(_ node: UnsafeMutableRawPointer?, _ file: UnsafePointer<CChar>?, _ line: Int32) {
    if let node = unsafe node { unsafe pool().give(node) }
}
