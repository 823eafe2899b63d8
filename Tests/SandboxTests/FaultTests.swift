import JSON
import Testing

@testable import Sandbox

@Suite struct FaultTests {
    @Test func `a fault hits as many matching requests as it says`() {
        var queue = FaultQueue()
        queue.add(Fault(path: "/v1/messages", account: "acct-1", times: 2, kind: .status(429, retryAfter: 7)))
        #expect(queue.take(path: "/v1/models", account: "acct-1").kind == nil)
        #expect(queue.take(path: "/v1/messages", account: "acct-2").kind == nil)
        #expect(queue.take(path: "/v1/messages", account: "acct-1").kind == .status(429, retryAfter: 7))
        #expect(queue.take(path: "/v1/messages/count_tokens", account: "acct-1").kind == .status(429, retryAfter: 7))
        #expect(queue.take(path: "/v1/messages", account: "acct-1").kind == nil)
    }

    @Test func `faults are played in order, and a pause goes with any of them`() {
        var queue = FaultQueue()
        queue.add(Fault(path: "/", kind: .slow(.milliseconds(20))))
        queue.add(Fault(path: "/", kind: .drop))
        queue.add(Fault(path: "/", kind: .html))
        let first = queue.take(path: "/x", account: nil)
        #expect(first.kind == .drop)
        #expect(first.delay == .milliseconds(20))
        let second = queue.take(path: "/x", account: nil)
        #expect(second.kind == .html)
        #expect(second.delay == .zero)
    }

    @Test(arguments: [
        (#"{"path":"/a","kind":"status","status":403}"#, Fault(path: "/a", kind: .status(403))),
        (#"{"path":"/a","kind":"status","status":429,"retryAfter":9}"#, Fault(path: "/a", kind: .status(429, retryAfter: 9))),
        (#"{"path":"/a","kind":"slow","duration":"1.5s","times":3}"#, Fault(path: "/a", times: 3, kind: .slow(.milliseconds(1500)))),
        (#"{"path":"/a","kind":"cut","afterBytes":100}"#, Fault(path: "/a", kind: .cut(afterBytes: 100))),
        (#"{"path":"/a","kind":"excessLength","bytes":4}"#, Fault(path: "/a", kind: .excessLength(4))),
        (#"{"path":"/a","kind":"commitThenClose","account":"x"}"#, Fault(path: "/a", account: "x", kind: .commitThenClose)),
        (#"{"path":"/a","kind":"noSuchFault"}"#, nil),
        (#"{"path":"/a","kind":"status"}"#, nil),
        (#"{"kind":"drop"}"#, nil),
    ])
    func `scripts write faults as JSON`(text: String, expected: Fault?) throws {
        #expect(Fault(try Reader.parse(Array(text.utf8))) == expected)
    }

    @Test(arguments: [
        ("20ms", Duration.milliseconds(20)), ("250us", .microseconds(250)), ("1.5s", .milliseconds(1500)), ("5", .milliseconds(5)),
    ])
    func `durations are read with their unit`(text: String, expected: Duration) {
        #expect(Steering.duration(text) == expected)
    }

    @Test(arguments: ["", "ms", "-1s", "nan", "1h"])
    func `what is no duration is none`(text: String) {
        #expect(Steering.duration(text) == nil)
    }
}
