import Digest

/// What the browser shows at the end of a login: static text, nothing of the request in it, nothing loaded from anywhere.
public enum CallbackPage: Sendable, CaseIterable {
    /// The login is stored.
    case worked
    /// The login did not work; the terminal says why.
    case failed
    /// This answer is not the one that is waited for.
    case mismatch
    /// There is no such page here.
    case unknown

    /// The whole response.
    func response(status: Int) -> [UInt8] {
        let body = Array(html.utf8)
        let fields = [
            "HTTP/1.1 \(status) \(Self.phrase(status))", "Content-Type: text/html; charset=utf-8", "Content-Length: \(body.count)",
            "Connection: close", "Cache-Control: no-store",
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-\(Self.styleHash)'; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'",
            // The address of this page holds the code: it goes nowhere from here.
            "Referrer-Policy: no-referrer", "X-Content-Type-Options: nosniff", "Cross-Origin-Resource-Policy: same-origin",
        ]
        return Array((fields.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }

    private var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Keybearer: \(title)</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        <h1>\(title)</h1>
        <p>\(text)</p>
        </main>
        </body>
        </html>

        """
    }

    private var title: String {
        switch self {
        case .worked: "Logged in"
        case .failed: "Not logged in"
        case .mismatch: "This is not the login that is waited for"
        case .unknown: "No such page"
        }
    }

    private var text: String {
        switch self {
        case .worked: "Keybearer has stored the login. You can close this tab and go back to your terminal."
        case .failed: "The login did not work. Your terminal says why, and what to do."
        case .mismatch: "Open the address that your terminal shows, and log in there. If you started a second login, finish that one."
        case .unknown: "Keybearer waits here for the end of a login, and for nothing else."
        }
    }

    private static let style = """
        :root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;\
        font:16px/1.5 system-ui,sans-serif}main{max-width:34rem;padding:2rem}h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:0}
        """

    /// In standard base64, which is what browsers compare with (CSP 3 §8.2).
    private static let styleHash = Base64.encode(SHA256.hash(style))

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 421: "Misdirected Request"
        case 431: "Request Header Fields Too Large"
        default: "Bad Request"
        }
    }
}
