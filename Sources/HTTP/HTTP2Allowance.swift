/// What the peers of a worker's HTTP/2 sessions may do. A proxy's are strangers; those of a bench are its own, and are to be held up by nothing.
public struct HTTP2Allowance: Sendable {
    /// Bytes of a request's body that a client may send before they are credited.
    public var requestWindow = HTTP2Session.requestWindow
    /// The same of an answer's.
    public var answerWindow = HTTP2Session.answerWindow
    /// The same of a whole connection.
    public var connectionWindow = HTTP2Session.connectionWindow
    /// Requests that a client may have under way on one connection.
    public var streams = HTTP2Session.clientStreams
    /// What a peer does too often is not counted.
    public var isTrusting = false

    /// What strangers may do.
    public init() {}
}
