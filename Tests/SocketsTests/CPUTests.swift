import Testing

@testable import Sockets

@Suite struct CPUTests {
    @Test(arguments: [([0b101, 0], [0, 2]), ([0, 0b10], [65]), ([0, 0], [])])
    func `processors are the bits that are set`(words: [UInt64], numbers: [Int]) { #expect(CPU.numbers(in: words) == numbers) }

    @Test func `a thread keeps to what it is told, and others do not`() {
        let before = CPU.allowed
        #expect(before.count == CPU.count && !before.isEmpty)
        let found = Mailbox<(kept: Bool, allowed: [Int], count: Int, none: Bool)>()
        Thread(name: "kb-test") { found.post((CPU.keep(to: [before[0]]), CPU.allowed, CPU.count, CPU.keep(to: []))) }.join()
        let thread = found.collect()
        #expect(thread.first?.kept == true)
        #expect(thread.first?.allowed == [before[0]])
        #expect(thread.first?.count == 1)
        #expect(thread.first?.none == false, "no processor at all is refused")
        #expect(CPU.allowed == before)
    }
}
