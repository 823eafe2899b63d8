import Routing
import Testing

@Suite struct StoredPathTests {
    /// A target, and the id in it; `+` for a collection, nil for neither.
    static let rows: [(target: String, found: String?)] = [
        ("/v1/responses", "+"),
        ("/responses?stream=1", "+"),
        ("/v1/responses/", "+"),
        ("/v1/responses/resp_1", "resp_1"),
        ("/v1/responses/resp_1/input_items?after=x", "resp_1"),
        ("/v1/responses/resp_1/cancel", "resp_1"),
        ("/v1/conversations/conv_1/items/msg_1", "conv_1"),
        ("/v1/files", "+"),
        ("/v1/files/file-1/content", "file-1"),
        ("/v1/batches/batch_1/cancel", "batch_1"),
        ("/v1/messages/batches", "+"),
        ("/v1/messages/batches/msgbatch_1/results", "msgbatch_1"),
        ("/v1/messages", nil),
        ("/v1/chat/completions", nil),
        ("/v1/profiles/x", nil),
        ("/v1/x?files/y", nil),
        ("", nil),
    ]

    @Test(arguments: rows)
    func aPathTellsOfWhatIsKept(target: String, found: String?) {
        let bytes = Array(target.utf8)
        switch StoredPath.find(in: bytes.span, from: 0) {
        case .none: #expect(found == nil)
        case .collection: #expect(found == "+")
        case .item(let range): #expect(String(decoding: bytes[range], as: UTF8.self) == found)
        }
    }
}
