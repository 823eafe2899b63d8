internal import CLinux
internal import Glibc

/// One open file descriptor, closed when its owner goes.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, valid for as long as this value lives.
    public let number: Int32

    /// Takes over an open descriptor.
    public init(owning number: Int32) { self.number = number }
    deinit { close(number) }

    /// Gives the number away unclosed, to whoever will own it next (a message to another thread).
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }
}

/// What one attempt to move bytes came to.
public enum Transfer: Equatable, Sendable {
    /// So many bytes were moved (never 0).
    case moved(Int)
    /// The kernel has nothing, or no room, at the moment.
    case wouldBlock
    /// The peer has sent everything it will send.
    case ended
    /// The connection is broken; `errno`.
    case failed(Int32)
}

extension Descriptor {
    /// Receives up to `capacity` bytes into `target`.
    @inline(__always)
    public borrowing func receive(into target: UnsafeMutableRawPointer, capacity: Int) -> Transfer {
        let count = unsafe recv(number, target, capacity, 0)
        if count > 0 { return .moved(count) }
        if count == 0 { return .ended }
        return Self.failure()
    }

    /// Sends up to `count` bytes from `source`; a broken pipe is an answer and never a signal.
    @inline(__always)
    public borrowing func send(_ source: UnsafeRawPointer, count: Int) -> Transfer {
        let sent = unsafe kb_send(number, source, count)
        if sent >= 0 { return .moved(sent) }
        return Self.failure()
    }

    @inline(never)
    private static func failure() -> Transfer {
        let code = kb_errno()
        // EINTR: signals are handled by one thread only, so this is rare; the level-triggered poller asks again.
        return code == EAGAIN || code == EWOULDBLOCK || code == EINTR ? .wouldBlock : .failed(code)
    }

    /// Nothing has come: no bytes, no end, no error.
    public var isQuiet: Bool {
        var byte: UInt8 = 0
        let count = unsafe recv(number, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count < 0 && (kb_errno() == EAGAIN || kb_errno() == EWOULDBLOCK)
    }

    /// Tells the peer that nothing more will come; what it sends can still be read.
    public borrowing func endWriting() { _ = shutdown(number, Int32(SHUT_WR)) }

    /// Refuses whoever connects from now on; the descriptor stays.
    public borrowing func stopListening() { _ = shutdown(number, Int32(SHUT_RDWR)) }

    /// Closing will send a reset, so that the peer cannot mistake what it got for a whole message.
    public borrowing func resetWhenClosed() { _ = kb_reset_on_close(number) }
}

extension Descriptor {
    /// Closes it now.
    public consuming func discard() {}
}
