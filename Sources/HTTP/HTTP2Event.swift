/// What a peer has done on an HTTP/2 connection, noted while nghttp2 reads and acted on afterwards: no code of the proxy runs inside nghttp2.
@safe
public struct HTTP2Event {
    /// What has happened.
    public enum Kind: UInt8, Sendable {
        /// A request's or an answer's head is here, written as lines of HTTP/1.1 (`HTTP2Scratch.text`).
        case head
        /// The trailer section, as lines; it ends the message.
        case trailers
        /// Bytes of a body.
        case data
        /// The message ended without trailers.
        case ended
        /// The stream is over: `code` 0 when both messages were complete.
        case closed
        /// nghttp2 would send bytes of this stream now.
        case wanted
        /// The peer will take no new streams; those that it has not taken are closed with REFUSED_STREAM.
        case goAway
        /// The peer's settings are here.
        case settings
        /// A ping of ours was answered.
        case pong
    }
    /// What has happened.
    public let kind: Kind
    /// Which connection, by its descriptor.
    public let connection: Int32
    /// The stream, by HTTP/2's number; 0: the connection.
    public let stream: Int32
    /// The stream's slot, if it had one by then; else -1.
    public let slot: Int32
    /// RFC 9113 §7, for `closed`.
    public let code: UInt32
    /// A head or trailers: where the text begins among all that were noted.
    let start: Int
    /// Bytes of text or of the body.
    public let count: Int
    /// Bytes of a body, within what was given to `receive`.
    let bytes: UnsafeRawPointer?
}

/// Error codes of RFC 9113 §7 that are sent or looked for.
public enum HTTP2Code {
    /// NO_ERROR
    public static var none: UInt32 { 0 }
    /// PROTOCOL_ERROR
    public static var protocolError: UInt32 { 1 }
    /// INTERNAL_ERROR
    public static var internalError: UInt32 { 2 }
    /// REFUSED_STREAM: nothing was done with the request.
    public static var refusedStream: UInt32 { 7 }
    /// CANCEL
    public static var cancel: UInt32 { 8 }
    /// ENHANCE_YOUR_CALM
    public static var enhanceYourCalm: UInt32 { 11 }
    /// HTTP_1_1_REQUIRED
    public static var http11Required: UInt32 { 13 }
}
