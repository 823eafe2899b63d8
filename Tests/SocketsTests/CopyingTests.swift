import Sockets
import Testing

@Suite struct CopyingTests {
    /// Around the size of a step, and where source and target lie in their pages.
    @Test(arguments: [0, 1, 2047, 2048, 2049, 4096, 4097, 16_384, 70_001], [0, 1, 16, 31, 2048])
    func everyByteIsCopiedAndNoneBesides(size: Int, offset: Int) {
        let source = UnsafeMutableRawPointer.allocate(byteCount: size + 1, alignment: 4096)
        let target = UnsafeMutableRawPointer.allocate(byteCount: size + offset + 1, alignment: 4096)
        defer {
            source.deallocate()
            target.deallocate()
        }
        for at in 0..<size { source.storeBytes(of: UInt8(truncatingIfNeeded: at &* 31 &+ at >> 8), toByteOffset: at, as: UInt8.self) }
        target.initializeMemory(as: UInt8.self, repeating: 0xA5, count: size + offset + 1)
        copyBytes(target + offset, source, size)
        #expect(
            (0..<size).allSatisfy {
                target.load(fromByteOffset: offset + $0, as: UInt8.self) == source.load(fromByteOffset: $0, as: UInt8.self)
            })
        #expect(target.load(fromByteOffset: offset + size, as: UInt8.self) == 0xA5)
        #expect((0..<offset).allSatisfy { target.load(fromByteOffset: $0, as: UInt8.self) == 0xA5 })
    }
}
