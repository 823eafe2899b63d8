import Testing

@testable import keybearer

@Suite struct DemoAnswerTests {
    @Test func `An event has arrived when its last byte has`() {
        var answer = DemoAnswer()
        let start = answer.sent
        answer.body = Array("event: a\ndata: 1\n\ndata: 2\n\nevent: cut".utf8)
        answer.arrivals = [(start + .milliseconds(1), 10), (start + .milliseconds(2), 18), (start + .milliseconds(9), answer.body.count)]
        let events = answer.events
        #expect(events.map(\.name) == ["a", "message"])
        #expect(events.map(\.data) == ["1", "2"])
        #expect(events.map(\.after) == [.milliseconds(2), .milliseconds(9)])
    }
}
