import Testing

@testable import Proxy

@Suite struct CarrierPoolTests {
    private static func choice(_ each: [(streams: Int, limit: Int)], dialling: Int) -> CarrierPool.Choice {
        var standings = InlineArray<4, CarrierPool.Standing>(repeating: CarrierPool.Standing(carrier: -1, streams: 0, limit: 0))
        for (index, one) in each.enumerated() {
            standings[index] = CarrierPool.Standing(carrier: Int32(index + 10), streams: one.streams, limit: one.limit)
        }
        return CarrierPool.choose(standings, count: each.count, dialling: dialling)
    }

    @Test(arguments: [
        ([] as [(streams: Int, limit: Int)], 0, CarrierPool.Choice.dial), ([], 1, .wait), ([(0, 100)], 0, .use(10)),
        ([(31, 100)], 0, .use(10)),
        // At 32, or at three quarters of the peer's limit, another one is wanted.
        ([(32, 100)], 0, .dial), ([(7, 10)], 0, .dial), ([(6, 10)], 0, .use(10)),
        // While it is on its way, those that are there go on.
        ([(32, 100)], 1, .use(10)), ([(100, 100)], 1, .wait), ([(40, 100), (33, 100)], 1, .use(11)),
        // Four are enough.
        ([(50, 100), (60, 100), (70, 100), (49, 100)], 0, .use(13)), ([(100, 100), (100, 100), (100, 100), (100, 100)], 0, .wait),
        // A peer that takes no stream is not given one.
        ([(0, 0)], 0, .dial), ([(0, 0)], 1, .wait), ([(0, 1)], 0, .use(10)), ([(1, 1)], 0, .dial),
    ])
    func aStreamGoesWhereThereIsRoom(each: [(streams: Int, limit: Int)], dialling: Int, choice: CarrierPool.Choice) {
        #expect(Self.choice(each, dialling: dialling) == choice)
    }

    @Test func aConnectionIsOfOneKeyOnly() {
        var pool = CarrierPool()
        pool.add(5, key: 3)
        pool.add(6, key: 3)
        #expect(pool.list(3) == [5, 6])
        #expect(pool.list(2).isEmpty)
        pool.remove(5, key: 3)
        pool.remove(7, key: 99)
        #expect(pool.list(3) == [6])
    }
}
