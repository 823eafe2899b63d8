/// One of the requests that may be under way: an HTTP/1.1 connection, or a place for a stream on one of HTTP/2.
struct LoadUnit {
    /// The connection, by its descriptor.
    var connection: Int32 = -1
    /// HTTP/2's number of the stream; 0 in HTTP/1.1.
    var stream: Int32 = 0
    var isBusy = false
    /// Which of an open loop's requests is its next one.
    var number: Int
    /// When the request under way began, or was to begin.
    var startedAt: Int64 = 0
    /// Bytes sent: in HTTP/2 of the body, in HTTP/1.1 of head and body.
    var sent = 0
    var check = AnswerCheck()
}
