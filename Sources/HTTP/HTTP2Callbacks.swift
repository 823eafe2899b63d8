internal import CNGHTTP2
internal import Sockets

/// nghttp2's doors into a session. They only note what has happened. File-level functions: a closure in a static method captures the metatype
/// and is no C function.
enum HTTP2Callbacks {
    /// The table of functions, for all sessions of a worker.
    static func make() -> OpaquePointer? {
        var table: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&table) == 0 else { return nil }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(table, headBegins)
        unsafe nghttp2_session_callbacks_set_on_header_callback(table, fieldCame)
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(table, fieldIsInvalid)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(table, frameCame)
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table, frameIsInvalid)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, bytesCame)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(table, streamClosed)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(table, frameSent)
        unsafe nghttp2_session_callbacks_set_send_data_callback(table, bytesAreDue)
        return unsafe table
    }

    /// Where a stream's body comes from: whatever is lent for its slot.
    static func source(_ slot: Int32) -> nghttp2_data_provider {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.source.ptr = unsafe UnsafeMutableRawPointer(bitPattern: Int(slot) + 1)
        unsafe provider.read_callback = bodyIsWanted
        return unsafe provider
    }
}

@inline(__always)
private func session(_ user: UnsafeMutableRawPointer?) -> HTTP2Session {
    unsafe HTTP2Session(core: user.unsafelyUnwrapped.assumingMemoryBound(to: HTTP2Session.Core.self))
}

private let ok: Int32 = 0

// MARK: Frames in

private func headBegins(_ raw: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ user: UnsafeMutableRawPointer?) -> Int32 {
    let session = unsafe session(user)
    let isFirst = unsafe session.core.pointee.isServer && kb_headers_category(frame) == Int32(NGHTTP2_HCAT_REQUEST.rawValue)
    let start = unsafe session.core.pointee.scratch.core.pointee.texts.count
    // In an answer a `:status` tells a head from trailers.
    unsafe session.core.pointee.head.begin(isFirst ? .request : .trailers, at: start)
    unsafe session.core.pointee.isInHead = true
    return ok
}

private func fieldCame(
    _ raw: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
    _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ flags: UInt8, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(user)
    let scratch = unsafe session.core.pointee.scratch
    unsafe session.core.pointee.head.add(
        UnsafeRawBufferPointer(start: name, count: nameCount), UnsafeRawBufferPointer(start: value, count: valueCount),
        to: &scratch.core.pointee.texts)
    return unsafe session.core.pointee.head.isMalformed ? refuse(raw, frame, user) : ok
}

/// nghttp2 would pass over a field that it finds invalid; a request or an answer with one is malformed (RFC 9113 §8.2.1).
private func fieldIsInvalid(
    _ raw: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
    _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ flags: UInt8, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe refuse(raw, frame, user)
}

/// RFC 9113 §8.1.1: a stream error of type PROTOCOL_ERROR.
private func refuse(_ raw: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ user: UnsafeMutableRawPointer?) -> Int32 {
    unsafe session(user).core.pointee.isInHead = false
    _ = unsafe nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), kb_frame_stream(frame), HTTP2Code.protocolError)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
}

/// nghttp2 answers it; a head that it was is over.
private func frameIsInvalid(
    _ raw: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ error: Int32, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    if unsafe UInt32(kb_frame_type(frame)) == NGHTTP2_HEADERS.rawValue { unsafe session(user).core.pointee.isInHead = false }
    return ok
}

private func frameCame(_ raw: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ user: UnsafeMutableRawPointer?) -> Int32 {
    let session = unsafe session(user)
    let stream = unsafe kb_frame_stream(frame)
    let ends = unsafe UInt32(kb_frame_flags(frame)) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
    switch unsafe UInt32(kb_frame_type(frame)) {
    case NGHTTP2_HEADERS.rawValue:
        unsafe session.core.pointee.isInHead = false
        let scratch = unsafe session.core.pointee.scratch
        let range = unsafe session.core.pointee.head.finish(ends: ends, to: &scratch.core.pointee.texts)
        let isTrailers = unsafe session.core.pointee.head.kind == .trailers
        session.note(isTrailers ? .trailers : .head, stream, start: range.lowerBound, count: range.count)
        if ends, !isTrailers { session.note(.ended, stream) }
    case NGHTTP2_DATA.rawValue: if ends { session.note(.ended, stream) }
    case NGHTTP2_GOAWAY.rawValue: session.note(.goAway, 0)
    case NGHTTP2_SETTINGS.rawValue: session.note(.settings, 0)
    case NGHTTP2_PING.rawValue:
        if unsafe UInt32(kb_frame_flags(frame)) & NGHTTP2_FLAG_ACK.rawValue != 0 { session.note(.pong, 0) }
    default: break
    }
    return ok
}

private func bytesCame(
    _ raw: OpaquePointer?, _ flags: UInt8, _ stream: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe session(user).note(.data, stream, count: count, bytes: UnsafeRawPointer(bytes))
    return ok
}

private func streamClosed(_ raw: OpaquePointer?, _ stream: Int32, _ code: UInt32, _ user: UnsafeMutableRawPointer?) -> Int32 {
    let session = unsafe session(user)
    session.note(.closed, stream, code: code)
    return ok
}

// MARK: Frames out

private func frameSent(_ raw: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ user: UnsafeMutableRawPointer?) -> Int32 {
    let session = unsafe session(user)
    guard unsafe session.core.pointee.isServer else { return ok }
    switch unsafe UInt32(kb_frame_type(frame)) {
    // One for the stream, one for the connection.
    case NGHTTP2_DATA.rawValue: unsafe session.core.pointee.windowUpdates = min(1_000, session.core.pointee.windowUpdates + 2)
    case NGHTTP2_RST_STREAM.rawValue:
        let code = unsafe kb_reset_code(frame)
        let isTheirs = code != HTTP2Code.none && code != HTTP2Code.internalError && code != HTTP2Code.cancel
        if isTheirs { session.countGlitch() }
    default: break
    }
    return ok
}

/// How much of a body goes into the next frame: of the one that is lent. Any other is asked for by an event, and waits.
private func bodyIsWanted(
    _ raw: OpaquePointer?, _ stream: Int32, _ target: UnsafeMutablePointer<UInt8>?, _ room: Int, _ flags: UnsafeMutablePointer<UInt32>?,
    _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ user: UnsafeMutableRawPointer?
) -> Int {
    let session = unsafe session(user)
    let slot = Int32(truncatingIfNeeded: unsafe Int(bitPattern: source.unsafelyUnwrapped.pointee.ptr) - 1)
    guard unsafe session.core.pointee.lentSlot == slot else {
        session.note(.wanted, stream)
        return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    let left = unsafe session.core.pointee.lentCount - session.core.pointee.lentTaken
    let ends = unsafe session.core.pointee.lentEnds && !session.core.pointee.endWasSent
    guard left > 0 || ends else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    let count = min(left, room, HTTP2Session.fullFrame)
    unsafe flags.unsafelyUnwrapped.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    if ends, count == left {
        unsafe flags.unsafelyUnwrapped.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if unsafe session.core.pointee.lentHasTrailers {
            unsafe flags.unsafelyUnwrapped.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        }
        unsafe session.core.pointee.endWasSent = true
    }
    return count
}

/// A DATA frame: nghttp2's header, and the lent bytes behind it.
private func bytesAreDue(
    _ raw: OpaquePointer?, _ frame: UnsafeMutablePointer<nghttp2_frame>?, _ header: UnsafePointer<UInt8>?, _ count: Int,
    _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(user)
    unsafe session.core.pointee.outbound.append(UnsafeRawPointer(header.unsafelyUnwrapped), 9)
    if count > 0, let lent = unsafe session.core.pointee.lent {
        unsafe session.core.pointee.outbound.append(lent + session.core.pointee.lentTaken, count)
        unsafe session.core.pointee.lentTaken += count
    }
    return ok
}

extension HTTP2Session {
    init(core: UnsafeMutablePointer<Core>) { unsafe self.core = unsafe core }

    @safe
    @inline(__always)
    fileprivate func note(
        _ kind: HTTP2Event.Kind, _ stream: Int32, start: Int = 0, count: Int = 0, code: UInt32 = 0, bytes: UnsafeRawPointer? = nil
    ) {
        let tag = unsafe stream == 0 ? nil : nghttp2_session_get_stream_user_data(core.pointee.raw, stream)
        let slot = unsafe tag == nil ? -1 : Int32(truncatingIfNeeded: Int(bitPattern: tag) - 1)
        unsafe core.pointee.scratch.note(
            HTTP2Event(
                kind: kind, connection: core.pointee.connection, stream: stream, slot: slot, code: code, start: start, count: count,
                bytes: bytes))
    }

    /// Counts what no client needs to do often.
    func countGlitch() {
        let now = unsafe core.pointee.now
        if unsafe !core.pointee.glitches.add(at: now) { unsafe core.pointee.isAbusive = true }
    }
}
