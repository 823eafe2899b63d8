internal import JSON

/// What goes back to the client: a status, fields, and a body that is written as it is made.
struct Response: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// So many bytes of `Pattern`.
        case pattern(Int64)
        /// Server-sent events, with a pause before each delta.
        case events(EventScript, interval: Duration)
    }

    var status: Int
    var fields: [(name: String, value: String)]
    var body: Body
    var framing = Steering.Framing.length

    init(status: Int = 200, fields: [(String, String)] = [], body: Body) {
        self.status = status
        self.fields = fields.map { (name: $0.0, value: $0.1) }
        self.body = body
    }

    static func json(_ value: Value, status: Int = 200, fields: [(String, String)] = []) -> Response {
        Response(status: status, fields: [("Content-Type", "application/json")] + fields, body: .bytes(Writer.compact(value)))
    }

    static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: Int = 200) -> Response {
        Response(status: status, fields: [("Content-Type", type)], body: .bytes(Array(text.utf8)))
    }

    static func events(_ script: EventScript, interval: Duration) -> Response {
        Response(
            fields: [("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache")],
            body: .events(script, interval: interval))
    }

    static func redirect(to location: String) -> Response {
        Response(status: 302, fields: [("Location", location)], body: .bytes([]))
    }

    /// Reason phrases: nobody needs them, people reading a trace like them.
    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 302: "Found"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 529: "Overloaded"
        default: "Status"
        }
    }
}
