internal import CNGHTTP2
public import Sockets

/// What all HTTP/2 sessions of one worker share: the log of events, the text of heads that have just come, and the memory that nghttp2 uses.
///
/// A handle: copies share everything. It lives as long as its thread.
@safe
public struct HTTP2Scratch {
    @safe struct Core: ~Copyable {
        var events: UnsafeMutablePointer<HTTP2Event>
        var eventCount = 0
        var eventRoom = HTTP2Scratch.eventRoom
        /// Heads and trailers of the events, each as lines.
        var texts: ByteQueue
        /// Fields on their way into a frame.
        let pairs: UnsafeMutablePointer<nghttp2_nv>
        let callbacks: OpaquePointer
        let serverOptions, clientOptions: OpaquePointer
        var memory: nghttp2_mem
        let pool: BufferPool
        let allowance: HTTP2Allowance
    }
    let core: UnsafeMutablePointer<Core>

    /// Events that there is room for at first.
    private static var eventRoom: Int { 1024 }
    /// Fields of one head: what a parser lets in, and a dozen of our own.
    static var pairCapacity: Int { 192 }

    /// An empty log; buffers come from `pool`. `allowance`: what the peers of all sessions may do.
    public init(pool: BufferPool, allowance: HTTP2Allowance = HTTP2Allowance()) {
        guard let callbacks = unsafe HTTP2Callbacks.make(), let server = unsafe Self.options(allowance),
            let client = unsafe Self.options(allowance)
        else {
            fatalError("out of memory for HTTP/2")
        }
        unsafe core = .allocate(capacity: 1)
        unsafe core.initialize(
            to: Core(
                events: .allocate(capacity: Self.eventRoom), texts: ByteQueue(pool: pool), pairs: .allocate(capacity: Self.pairCapacity),
                callbacks: callbacks, serverOptions: server, clientOptions: client, memory: HTTP2Memory.doors(), pool: pool,
                allowance: allowance))
    }

    /// What both sides ask of nghttp2 (spec/threats.md §2): windows are credited by us, and its own limits are tight.
    private static func options(_ allowance: HTTP2Allowance) -> OpaquePointer? {
        var options: OpaquePointer?
        guard unsafe nghttp2_option_new(&options) == 0 else { return nil }
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        let resets: UInt64 = allowance.isTrusting ? 1_000_000 : 200
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, resets, allowance.isTrusting ? resets : 33)
        unsafe nghttp2_option_set_max_continuations(options, 8)
        unsafe nghttp2_option_set_max_outbound_ack(options, 256)
        unsafe nghttp2_option_set_max_settings(options, 32)
        return unsafe options
    }

    // MARK: Events

    /// Events noted and not cleared.
    public var eventCount: Int { @inline(__always) get { unsafe core.pointee.eventCount } }
    /// The event at `index`.
    @inline(__always)
    public func event(_ index: Int) -> HTTP2Event {
        precondition(index < eventCount)
        return unsafe core.pointee.events[index]
    }
    /// The lines of a head or of trailers. Valid until `clear`, or until a session receives again.
    public func text(of event: HTTP2Event) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: core.pointee.texts.bytes[event.start..<event.start + event.count])
    }
    /// The bytes of a body. Valid for as long as what was given to `receive` is.
    @inline(__always)
    public func body(of event: HTTP2Event) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: event.bytes, count: event.count)
    }
    /// Forgets all events, once they have been acted on.
    public func clear() {
        unsafe core.pointee.eventCount = 0
        unsafe core.pointee.texts.release()
    }

    /// Gives back to malloc what a crowd of streams has left, when no event is noted.
    public func trim() {
        precondition(eventCount == 0)
        if unsafe core.pointee.eventRoom > Self.eventRoom {
            unsafe core.pointee.events.deallocate()
            unsafe core.pointee.events = .allocate(capacity: Self.eventRoom)
            unsafe core.pointee.eventRoom = Self.eventRoom
        }
        if let handle = unsafe core.pointee.memory.mem_user_data { unsafe NodePool(handle: handle).trim() }
    }

    @inline(__always)
    func note(_ event: HTTP2Event) {
        if unsafe core.pointee.eventCount == core.pointee.eventRoom { grow() }
        unsafe (core.pointee.events + core.pointee.eventCount).initialize(to: event)
        unsafe core.pointee.eventCount += 1
    }

    @inline(never)
    private func grow() {
        let count = unsafe core.pointee.eventCount
        let larger = UnsafeMutablePointer<HTTP2Event>.allocate(capacity: count * 2)
        unsafe larger.moveInitialize(from: core.pointee.events, count: count)
        unsafe core.pointee.events.deallocate()
        unsafe core.pointee.events = unsafe larger
        unsafe core.pointee.eventRoom = count * 2
    }
}
