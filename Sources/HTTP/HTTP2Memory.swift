internal import CNGHTTP2
internal import Glibc
internal import Sockets

/// nghttp2's own allocations (streams, frames, field lists) come from lists of one worker, which live as long as its thread.
enum HTTP2Memory {
    /// The functions that nghttp2 calls instead of malloc and its family. Frames are made in the larger blocks, and heads with credentials are
    /// frames.
    static func doors() -> nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: NodePool(keeping: 1 << 20, wipingFrom: 4 << 10).handle,
            malloc: { size, user in unsafe NodePool(handle: user.unsafelyUnwrapped).take(size) },
            free: { node, user in if let node = unsafe node { unsafe NodePool(handle: user.unsafelyUnwrapped).give(node) } },
            calloc: { count, size, user in
                let (total, isTooMuch) = count.multipliedReportingOverflow(by: size)
                guard !isTooMuch, let node = unsafe NodePool(handle: user.unsafelyUnwrapped).take(total) else { return nil }
                unsafe memset(node, 0, total)
                return unsafe node
            },
            realloc: { node, size, user in
                let pool = unsafe NodePool(handle: user.unsafelyUnwrapped)
                guard let node = unsafe node else { return unsafe pool.take(size) }
                return unsafe pool.resize(node, size)
            })
    }
}
