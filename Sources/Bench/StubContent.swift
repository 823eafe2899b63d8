internal import HTTP

/// What the stub upstream answers with, made once: heads as lines, and bodies.
@safe
struct StubContent {
    /// The whole answer over HTTP/1.1, for those that are short.
    let jsonAnswer: UnsafeMutableRawBufferPointer
    /// The same head alone, which HTTP/2 changes in place into the same bytes each time.
    let jsonHead: UnsafeMutableRawBufferPointer
    let json: UnsafeMutableRawBufferPointer
    let eventsHead: UnsafeMutableRawBufferPointer
    /// What downloads are made of, piece by piece.
    let bulk: UnsafeMutableRawBufferPointer
    /// A head that is being made.
    private let scratch: UnsafeMutableRawBufferPointer

    /// Bytes of a piece of `bulk`: with a frame's header it fills one TLS record.
    static var pieceSize: Int { 16_375 }

    init() {
        let start =
            #"{"id":"msg_1","type":"message","role":"assistant","model":"bench","stop_reason":"end_turn","stop_sequence":null,"#
            + #""usage":{"input_tokens":10,"output_tokens":10},"content":[{"type":"text","text":""#
        let end = #""}]}"#
        let filling = String(repeating: "a", count: StubRequest.jsonSize - start.utf8.count - end.utf8.count)
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \(StubRequest.jsonSize)\r\n\r\n"
        unsafe json = unsafe Self.bytes(start + filling + end)
        unsafe jsonHead = unsafe Self.bytes(head)
        unsafe jsonAnswer = unsafe Self.bytes(head + start + filling + end)
        unsafe eventsHead = unsafe Self.bytes(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
                + "transfer-encoding: chunked\r\n\r\n")
        unsafe bulk = unsafe Self.bytes(String(repeating: "x", count: Self.pieceSize))
        unsafe scratch = .allocate(byteCount: 512, alignment: 1)
    }

    private static func bytes(_ text: String) -> UnsafeMutableRawBufferPointer {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
        unsafe bytes.copyBytes(from: text.utf8)
        return unsafe bytes
    }

    /// The head of an answer whose length depends on the request. Valid until the next one is made.
    func head(of request: StubRequest) -> UnsafeMutableRawBufferPointer {
        switch request.kind {
        case .json: return unsafe jsonHead
        case .events: return unsafe eventsHead
        case .download, .refusal: break
        }
        let kind = request.kind == .download ? "application/octet-stream" : "text/plain"
        let text = "HTTP/1.1 \(request.status) \(request.status == 200 ? "OK" : "No")\r\ncontent-type: \(kind)\r\n"
        let all = text + "content-length: \(request.count)\r\n\r\n"
        unsafe scratch.copyBytes(from: all.utf8)
        return unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<all.utf8.count])
    }

    /// The next bytes of a body that is no stream of events, after `sent` of them.
    func piece(of request: StubRequest, after sent: Int) -> UnsafeRawBufferPointer {
        let left = request.count - sent
        switch request.kind {
        case .json: return unsafe UnsafeRawBufferPointer(rebasing: json[sent...])
        case .refusal:
            return unsafe UnsafeRawBufferPointer(start: StubRequest.refusalText.utf8Start + sent, count: left)
        case .download, .events: return unsafe UnsafeRawBufferPointer(rebasing: bulk[..<min(left, Self.pieceSize)])
        }
    }
}
