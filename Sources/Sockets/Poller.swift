internal import CLinux
internal import Glibc

/// Readiness of descriptors by epoll, level-triggered; an event is named by its descriptor.
@safe
public struct Poller: ~Copyable {
    /// What is waited for, or what has come.
    public struct Interest: OptionSet, Sendable {
        /// The kernel's event mask.
        public let rawValue: UInt32
        /// Makes a set of the kernel's bits.
        @inline(__always) public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// EPOLLIN
        public static var read: Interest { Interest(rawValue: 0x001) }
        /// EPOLLOUT
        public static var write: Interest { Interest(rawValue: 0x004) }
        /// EPOLLERR or EPOLLHUP: reported whether asked for or not.
        public static var broken: Interest { Interest(rawValue: 0x008 | 0x010) }
        /// EPOLLRDHUP: the peer has ended its side, even when bytes before that are unread.
        public static var peerEnded: Interest { Interest(rawValue: 0x2000) }
    }
    static var room: Int { 256 }
    let epoll: Descriptor
    let events: UnsafeMutablePointer<epoll_event>

    /// A poller that watches nothing yet.
    public init() {
        epoll = Descriptor(owning: epoll_create1(Int32(EPOLL_CLOEXEC)))
        precondition(epoll.number >= 0, "epoll_create1 failed: no descriptor left at start")
        unsafe events = .allocate(capacity: Self.room)
    }
    deinit { unsafe events.deallocate() }

    /// Begins to watch `fd`; false when the kernel refuses.
    @discardableResult
    public borrowing func add(_ fd: Int32, _ interest: Interest) -> Bool {
        kb_epoll_set(epoll.number, EPOLL_CTL_ADD, fd, interest.rawValue) == 0
    }
    /// Watches `fd` for something else. (A closed descriptor leaves the poller by itself.)
    public borrowing func change(_ fd: Int32, _ interest: Interest) {
        _ = kb_epoll_set(epoll.number, EPOLL_CTL_MOD, fd, interest.rawValue)
    }
    /// Stops watching `fd`, which stays open.
    public borrowing func remove(_ fd: Int32) { _ = kb_epoll_set(epoll.number, EPOLL_CTL_DEL, fd, 0) }

    /// Waits up to `milliseconds` (-1: for ever) and says how many events there are.
    @inline(__always)
    public borrowing func wait(milliseconds: Int32) -> Int {
        max(0, Int(unsafe epoll_wait(epoll.number, events, Int32(Self.room), milliseconds)))
    }
    /// The descriptor of the event at `index`.
    @inline(__always)
    public borrowing func descriptor(at index: Int) -> Int32 { unsafe kb_event_fd(events + index) }
    /// What has come at `index`.
    @inline(__always)
    public borrowing func ready(at index: Int) -> Interest { Interest(rawValue: unsafe kb_event_mask(events + index)) }
}
