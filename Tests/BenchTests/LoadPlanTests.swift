import JSON
import Testing

@testable import Bench

/// What a load sends, and where.
@Suite struct LoadPlanTests {
    @Test(arguments: [
        ("http://127.0.0.1:5392/v1/messages?a=b", "127.0.0.1", 5392, "/v1/messages?a=b", false, "127.0.0.1:5392"),
        ("https://localhost:1/x", "localhost", 1, "/x", true, "localhost:1"), ("http://[::1]:80/", "::1", 80, "/", false, "[::1]:80"),
        ("http://host", "host", 80, "/", false, "host:80"), ("https://host", "host", 443, "/", true, "host:443"),
    ])
    func `A URL is cut into its parts`(
        url: String, host: String, port: UInt16, path: String, usesTLS: Bool, authority: String
    ) throws {
        let target = try #require(LoadTarget(url: url))
        #expect(target.host == host && target.port == port && target.path == path && target.usesTLS == usesTLS)
        #expect(target.authority == authority)
    }

    @Test(arguments: [
        "", "127.0.0.1:80/", "ftp://h/", "http://", "http://:80/", "http://h:x/", "http://h:70000/", "http://h/a b", "http://h/#f",
        "http://h?q", "http://[::1/",
    ])
    func `What is no URL of ours is none`(url: String) { #expect(LoadTarget(url: url) == nil) }

    @Test func `Head and body are those of a model's request`() throws {
        var plan = LoadPlan(target: LoadTarget(loopback: 80, path: "/v1/messages"))
        #expect(plan.head == "GET /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n")
        plan.bodySize = 4096
        plan.fields = [("X-Api-Key", "k")]
        #expect(
            plan.head == "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Length: 4096\r\nContent-Type: application/json\r\n"
                + "X-Api-Key: k\r\n\r\n")
        #expect(plan.body.count == 4096)
        #expect(try Reader.parse(plan.body)["stream"]?.bool == false)
        plan.expectation = .events(3)
        #expect(try Reader.parse(plan.body)["stream"]?.bool == true)
        plan.bodySize = 10
        #expect(plan.body.count == 10)
    }

    @Test(arguments: [
        (1.0, 0, "1"), (0.5, 0, "1"), (1234.5678, 2, "1234.57"), (0.004, 2, "0.00"), (0.05, 1, "0.1"), (-1.25, 1, "-1.3"),
        (-0.001, 1, "0.0"),
        (.infinity, 2, "–"), (.nan, 0, "–"),
    ])
    func `Numbers have the places that were asked for`(number: Double, places: Int, text: String) {
        #expect(Decimal.text(number, places: places) == text)
    }
}
