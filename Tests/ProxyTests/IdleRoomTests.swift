import HTTP
import JSON
import Sockets
import Testing

@testable import Proxy

@Suite("What a stream holds while it waits")
struct IdleRoomTests {
    @Test("an exchange and its two sides are as small as they were made: a thousand of each lie side by side")
    func strides() {
        #expect(MemoryLayout<Exchange>.stride <= 1_312)
        #expect(MemoryLayout<Downstream>.stride <= 256)
        #expect(MemoryLayout<Upstream>.stride <= 288)
    }

    @Test("a body takes room of the pool while chunks of it come")
    func chunks() {
        let pool = BufferPool()
        let (block, capacity) = pool.take(1)
        pool.give(block, capacity)
        var body = MessageBody(pool: pool)
        /// Whether that block is there to be taken.
        func isFree() -> Bool {
            let (next, capacity) = pool.take(1)
            pool.give(next, capacity)
            return next == block
        }
        body.begin(.length(3))
        #expect(isFree())
        body.begin(.chunked)
        #expect(!isFree())
        let text = Array("3\r\nabc\r\n0\r\n\r\n".utf8)
        guard case .data(start: 3, count: 3, let next) = body.next(text.span.bytes, from: 0) else {
            Issue.record("there should be data")
            return
        }
        #expect(!isFree())
        guard case .ended(text.count) = body.next(text.span.bytes, from: next) else {
            Issue.record("it should end")
            return
        }
        let (isComplete, count) = (body.isComplete, body.byteCount)
        #expect(isComplete)
        #expect(count == 3)
        #expect(isFree())
        body.begin(.chunked)
        body.clear()
        #expect(isFree())
    }

    @Test("what was read of a body takes room until the choice is made, or as long as a second model may come", arguments: [true, false])
    func look(isComplete: Bool) {
        let pool = BufferPool()
        var look = BodyLook(pool: pool)
        look.begin(coding: .identity, readsKey: false, readsKept: false)
        look.feed(Array(#"{"model":"m","#.utf8).span.bytes)
        #expect(look[BodyLook.model].isString)
        look.release(isComplete: isComplete)
        #expect(look.stage == (isComplete ? .none : .watching))
        #expect(look[BodyLook.model].isString == !isComplete)
        look.feed(Array(#""model":"n"}"#.utf8).span.bytes)
        #expect(look.hasTwoModels == !isComplete)
    }
}
