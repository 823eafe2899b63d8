internal import CNGHTTP2
internal import Sockets

/// One HTTP/2 connection's framing (RFC 9113) by nghttp2, either side of it. Bytes are given to it and taken from it; it owns no socket.
///
/// A handle over a pointer and not a class: nghttp2's callbacks reach the same `core`, by accesses that end before nghttp2 is called. A class
/// would check each of them at run time; a `mutating` method that is called back into would be a violation that nothing detects.
@safe
public struct HTTP2Session {
    @safe struct Core: ~Copyable {
        var raw: OpaquePointer?
        let scratch: HTTP2Scratch
        let connection: Int32
        let isServer: Bool
        /// What the peer does is counted.
        let isWatched: Bool
        /// Frames that wait to be sent.
        var outbound: ByteQueue
        /// A head that is being read, and what of its text has come in earlier calls.
        var head = IncomingHead()
        var isInHead = false
        var partialHead: ByteQueue
        /// A body's bytes lent for the duration of one `send`.
        var lent: UnsafeRawPointer?
        var lentCount = 0
        var lentTaken = 0
        var lentSlot: Int32 = -1
        var lentEnds = false
        var lentHasTrailers = false
        var endWasSent = false
        /// Of a peer that is a client.
        var watch = FrameWatch()
        var glitches = GlitchCounter()
        /// WINDOW_UPDATE frames that the peer may still send for the DATA it was sent.
        var windowUpdates = 64
        var isAbusive = false
        var now: Int64 = 0
    }
    let core: UnsafeMutablePointer<Core>

    /// Bytes of a client's stream that we take before they are credited: what is held for it (DESIGN §10).
    static var requestWindow: Int32 { 65_536 }
    /// The same of an answer. No more than TCP's own first window (RFC 6928), so that it costs no round trip; and of a hundred answers that
    /// nobody reads, little is held.
    public static var answerWindow: Int32 { 16_384 }
    /// That of an answer that is known to be long, with a quick reader.
    private static var wideWindow: Int32 { 256 << 10 }
    /// Of a whole connection. It is credited as bytes come, so that one slow stream never stalls its siblings.
    static var connectionWindow: Int32 { 4 << 20 }
    /// Requests that a client may have under way on one connection.
    public static var clientStreams: UInt32 { 128 }
    /// With its nine bytes of header, a DATA frame of this size fills one TLS record.
    static var fullFrame: Int { 16_375 }
    /// Frames that nobody takes are left to nghttp2, which has limits for them.
    private static var outboundLimit: Int { 256 << 10 }

    /// Begins a session and says our settings. `connection` names it in events.
    public init(_ scratch: HTTP2Scratch, isServer: Bool, connection: Int32) {
        let pool = unsafe scratch.core.pointee.pool
        unsafe core = .allocate(capacity: 1)
        let allowance = unsafe scratch.core.pointee.allowance
        unsafe core.initialize(
            to: Core(
                scratch: scratch, connection: connection, isServer: isServer, isWatched: isServer && !allowance.isTrusting,
                outbound: ByteQueue(pool: pool), partialHead: ByteQueue(pool: pool)))
        var raw: OpaquePointer?
        let callbacks = unsafe scratch.core.pointee.callbacks
        let made =
            isServer
            ? unsafe nghttp2_session_server_new3(&raw, callbacks, core, scratch.core.pointee.serverOptions, &scratch.core.pointee.memory)
            : unsafe nghttp2_session_client_new3(&raw, callbacks, core, scratch.core.pointee.clientOptions, &scratch.core.pointee.memory)
        guard made == 0 else { fatalError("out of memory for HTTP/2") }
        unsafe core.pointee.raw = unsafe raw
        submitSettings(allowance)
        unsafe nghttp2_session_set_local_window_size(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, allowance.connectionWindow)
    }

    private func submitSettings(_ allowance: HTTP2Allowance) {
        let window = unsafe core.pointee.isServer ? allowance.requestWindow : allowance.answerWindow
        var settings = [
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(window)),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: 65_536),
        ]
        if unsafe core.pointee.isServer {
            settings.append(
                nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: allowance.streams))
        } else {
            settings.append(nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0))
        }
        _ = unsafe nghttp2_submit_settings(core.pointee.raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), &settings, settings.count)
    }

    /// Ends the session. The handle and its copies are not to be used any more.
    public func end() {
        unsafe nghttp2_session_del(core.pointee.raw)
        unsafe core.pointee.outbound.wipe()
        unsafe core.deinitialize(count: 1)
        unsafe core.deallocate()
    }

    // MARK: Bytes in

    /// Reads what the peer has sent and notes events; false when the connection is of no more use. `now`: monotonic milliseconds.
    public func receive(_ bytes: UnsafeRawBufferPointer, now: Int64) -> Bool {
        unsafe core.pointee.now = now
        guard unsafe !isFlood(bytes) else { return false }
        let scratch = unsafe core.pointee.scratch
        if unsafe core.pointee.isInHead {
            unsafe core.pointee.head.move(to: scratch.core.pointee.texts.count)
            unsafe scratch.core.pointee.texts.append(core.pointee.partialHead.bytes)
            unsafe core.pointee.partialHead.release()
        }
        let raw = unsafe core.pointee.raw
        let used = unsafe nghttp2_session_mem_recv(raw, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        if unsafe core.pointee.isInHead {
            let start = unsafe core.pointee.head.start
            unsafe core.pointee.partialHead.append(UnsafeRawBufferPointer(rebasing: scratch.core.pointee.texts.bytes[start...]))
        }
        if used >= 0 { return true }
        // Its own limits have been met, or the connection makes no sense.
        if used == Int(NGHTTP2_ERR_FLOODED.rawValue) { unsafe core.pointee.isAbusive = true }
        terminate(isAbusive ? HTTP2Code.enhanceYourCalm : HTTP2Code.protocolError)
        return false
    }

    /// Counts what a client sends; of what goes too far nothing is given to nghttp2 any more.
    private func isFlood(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard unsafe core.pointee.isWatched, let view = unsafe ByteView(bytes) else { return false }
        var at = 0
        while let header = unsafe core.pointee.watch.next(in: view, from: &at) {
            switch header.weight {
            case .useful: break
            case .windowUpdate:
                unsafe core.pointee.windowUpdates -= 1
                if unsafe core.pointee.windowUpdates < 0 { countGlitch() }
            case .glitch: countGlitch()
            }
        }
        if isAbusive { terminate(HTTP2Code.enhanceYourCalm) }
        return isAbusive
    }

    /// A head or its continuation has begun and is not complete.
    public var isInHead: Bool { unsafe core.pointee.isInHead }
    /// The peer did more harmless things than harmless peers do.
    public var isAbusive: Bool { unsafe core.pointee.isAbusive }

    /// Gives the peer back room on the whole connection for bytes that have been received.
    @inline(__always)
    public func creditConnection(_ count: Int) { _ = unsafe nghttp2_session_consume_connection(core.pointee.raw, count) }
    /// Gives the peer back room on a stream, as what it sent has been passed on.
    @inline(__always)
    public func credit(_ stream: Int32, _ count: Int) { _ = unsafe nghttp2_session_consume_stream(core.pointee.raw, stream, count) }

    /// Lets the peer send more of a stream before it waits for credit.
    public func widen(_ stream: Int32) {
        _ = unsafe nghttp2_session_set_local_window_size(core.pointee.raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, Self.wideWindow)
    }

    // MARK: Streams

    /// The slot that was tied to a stream, or -1; nil when there is no such stream any more.
    public func slot(of stream: Int32) -> Int32? {
        let raw = unsafe core.pointee.raw
        guard let tag = unsafe nghttp2_session_get_stream_user_data(raw, stream) else {
            return unsafe nghttp2_session_find_stream(raw, stream) == nil ? nil : -1
        }
        return Int32(truncatingIfNeeded: Int(bitPattern: tag) - 1)
    }
    /// Ties a stream to a slot: its events will say so.
    public func tie(_ stream: Int32, to slot: Int32) {
        _ = unsafe nghttp2_session_set_stream_user_data(core.pointee.raw, stream, UnsafeMutableRawPointer(bitPattern: Int(slot) + 1))
    }

    /// Streams that the peer lets us have at a time.
    public var peerStreams: Int {
        Int(unsafe nghttp2_session_get_remote_settings(core.pointee.raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }
    /// Bytes that the peer would take of a stream's body now.
    public func room(on stream: Int32) -> Int {
        let raw = unsafe core.pointee.raw
        let own = unsafe nghttp2_session_get_stream_remote_window_size(raw, stream)
        return max(0, Int(min(own, unsafe nghttp2_session_get_remote_window_size(raw))))
    }

    /// Ends a stream with an error.
    public func reset(_ stream: Int32, _ code: UInt32) {
        _ = unsafe nghttp2_submit_rst_stream(core.pointee.raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code)
    }

    // MARK: Heads out

    /// Opens a stream with a request's head; its number, or nil when none can be had. `secretsFrom`: where in the lines the credential begins.
    public func request(_ lines: UnsafeMutableRawBufferPointer, slot: Int32, scheme: StaticString, secretsFrom: Int, ends: Bool) -> Int32? {
        let pairs = unsafe core.pointee.scratch.core.pointee.pairs
        let head = unsafe OutgoingHead(lines, .request(scheme: scheme), secretsFrom: secretsFrom, into: pairs)
        let tag = unsafe UnsafeMutableRawPointer(bitPattern: Int(slot) + 1)
        let raw = unsafe core.pointee.raw
        unsafe core.pointee.outbound.isSecret = true  // there is a credential in the head
        var stream: Int32
        if ends {
            stream = unsafe nghttp2_submit_request(raw, nil, pairs, head.count, nil, tag)
        } else {
            var source = unsafe HTTP2Callbacks.source(slot)
            stream = unsafe nghttp2_submit_request(raw, nil, pairs, head.count, &source, tag)
        }
        takeFrames(isForced: true)
        return stream > 0 ? stream : nil
    }

    /// Answers a stream with a head.
    public func respond(_ lines: UnsafeMutableRawBufferPointer, stream: Int32, slot: Int32, ends: Bool) {
        let pairs = unsafe core.pointee.scratch.core.pointee.pairs
        let head = unsafe OutgoingHead(lines, .response, into: pairs)
        if ends {
            _ = unsafe nghttp2_submit_response(core.pointee.raw, stream, pairs, head.count, nil)
        } else {
            var source = unsafe HTTP2Callbacks.source(slot)
            _ = unsafe nghttp2_submit_response(core.pointee.raw, stream, pairs, head.count, &source)
        }
        takeFrames(isForced: true)
    }

    /// Sends an interim answer (1xx).
    public func inform(_ lines: UnsafeMutableRawBufferPointer, stream: Int32) {
        let pairs = unsafe core.pointee.scratch.core.pointee.pairs
        let head = unsafe OutgoingHead(lines, .response, into: pairs)
        _ = unsafe nghttp2_submit_headers(core.pointee.raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, nil, pairs, head.count, nil)
        takeFrames(isForced: true)
    }

    /// Sends the trailers that end a message; after a `send` that was told of them has taken all.
    public func trail(_ lines: UnsafeMutableRawBufferPointer, stream: Int32) {
        let pairs = unsafe core.pointee.scratch.core.pointee.pairs
        let head = unsafe OutgoingHead(lines, .trailers, into: pairs)
        _ = unsafe nghttp2_submit_trailer(core.pointee.raw, stream, pairs, head.count)
        takeFrames(isForced: true)
    }

    // MARK: Bodies out

    /// Frames as much of a body as the peer's windows allow; answers how many bytes were taken. When `ends`, the last of them ends the message
    /// (`endWasSent`), or with `hasTrailers` leaves that to `trail`.
    public func send(_ bytes: UnsafeRawBufferPointer, stream: Int32, slot: Int32, ends: Bool, hasTrailers: Bool) -> Int {
        if bytes.count > Self.fullFrame / 2 { makeRoom(for: min(bytes.count, room(on: stream))) }
        unsafe core.pointee.lent = bytes.baseAddress
        unsafe core.pointee.lentCount = bytes.count
        unsafe core.pointee.lentTaken = 0
        unsafe core.pointee.lentSlot = slot
        unsafe core.pointee.lentEnds = ends
        unsafe core.pointee.lentHasTrailers = hasTrailers
        unsafe core.pointee.endWasSent = false
        _ = unsafe nghttp2_session_resume_data(core.pointee.raw, stream)
        takeFrames(isForced: true)
        unsafe core.pointee.lentSlot = -1
        unsafe core.pointee.lent = nil
        return unsafe core.pointee.lentTaken
    }
    /// So that frame after frame need not move those before it to a larger block.
    private func makeRoom(for bytes: Int) {
        if bytes > 0 { _ = unsafe core.pointee.outbound.reserve(bytes + (bytes / Self.fullFrame + 1) * 9) }
    }
    /// Whether the last `send` has ended its body.
    public var endWasSent: Bool { unsafe core.pointee.endWasSent }

    // MARK: The connection

    /// Takes no new streams from the peer's next round trip on (RFC 9113 §6.8); `goAway` says later which were the last.
    public func announceEnd() { _ = unsafe nghttp2_submit_shutdown_notice(core.pointee.raw) }
    /// Takes no new streams from now on.
    public func goAway() {
        let raw = unsafe core.pointee.raw
        let last = unsafe nghttp2_session_get_last_proc_stream_id(raw)
        _ = unsafe nghttp2_submit_goaway(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2Code.none, nil, 0)
    }
    /// Ends the connection with an error once this frame has been sent.
    public func terminate(_ code: UInt32) { _ = unsafe nghttp2_session_terminate_session(core.pointee.raw, code) }
    /// Asks whether the peer is there; `pong` answers.
    public func ping() { _ = unsafe nghttp2_submit_ping(core.pointee.raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil) }

    /// Nothing more is to be read or written: the peer has been told, or has told us, that this is the end.
    public var isOver: Bool {
        unsafe nghttp2_session_want_read(core.pointee.raw) == 0 && nghttp2_session_want_write(core.pointee.raw) == 0
    }

    // MARK: Frames out

    /// Bytes that wait to be sent.
    public var waiting: Int { @inline(__always) get { unsafe core.pointee.outbound.count } }
    /// The bytes that wait to be sent.
    public var outbound: UnsafeRawBufferPointer { @inline(__always) get { unsafe core.pointee.outbound.bytes } }
    /// Drops bytes that have been sent.
    @inline(__always)
    public func consume(_ count: Int) { unsafe core.pointee.outbound.consume(count) }
    /// As `consume` of all. What had a credential in it is overwritten.
    public func consumeAll() { unsafe core.pointee.outbound.release() }

    /// Gathers the frames that are due (acknowledgements, windows, resets).
    public func takeFrames() { takeFrames(isForced: false) }

    private func takeFrames(isForced: Bool) {
        while unsafe isForced || core.pointee.outbound.count < Self.outboundLimit {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(core.pointee.raw, &bytes)
            guard count > 0, let bytes = unsafe bytes else { return }
            unsafe core.pointee.outbound.append(UnsafeRawPointer(bytes), count)
        }
    }
}
