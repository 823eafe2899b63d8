import HTTP
import JSON
import Sockets
import Testing

@testable import Proxy

@Suite("What a stream holds while it waits")
struct IdleRoomTests {
    @Test("an exchange and its two sides are as small as they were made: a thousand of each lie side by side")
    func strides() {
        #expect(MemoryLayout<Exchange>.stride <= 1_600)
        #expect(MemoryLayout<Downstream>.stride <= 256)
        #expect(MemoryLayout<Upstream>.stride <= 288)
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
