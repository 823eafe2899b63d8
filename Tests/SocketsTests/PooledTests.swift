import Sockets
import Testing

@Suite struct PooledTests {
    private struct Large: BitwiseCopyable { var first = 1, second = 2, third = 3 }

    @Test func aValueIsThereWhileItIsHeldAndCanBeChangedInPlace() {
        var place = Pooled<Large>(pool: BufferPool())
        let before = place.isHeld
        place.hold(Large())
        place.value.second = 7
        let (isHeld, second) = (place.isHeld, place.value.second)
        #expect(!before && isHeld && second == 7)
        place.hold(Large())
        let renewed = place.value.second
        #expect(renewed == 2)
        place.release()
        place.release()
        let after = place.isHeld
        #expect(!after)
    }

    @Test func itsRoomIsThePoolsAndGoesBackToIt() {
        let pool = BufferPool()
        let (block, capacity) = pool.take(100)
        pool.give(block, capacity)
        var place = Pooled<Large>(pool: pool)
        place.hold(Large())
        let (other, otherCapacity) = pool.take(100)
        #expect(other != block)
        place.release()
        let (again, _) = pool.take(100)
        #expect(again == block)
        pool.give(again, capacity)
        pool.give(other, otherCapacity)
    }
}
