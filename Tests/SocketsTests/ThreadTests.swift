import Glibc
import Testing

@testable import Sockets

@Suite struct ThreadTests {
    private struct Seen: Sendable {
        let name: String
        let niceness: Int32
    }

    private static var niceness: Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

    /// What a thread is by the kernel's account of it.
    private func seen(_ priority: Thread.Priority) -> Seen? {
        let answers = Mailbox<Seen>()
        Thread(name: "kb-test-thread-of-a-long-name", priority: priority) {
            var text = [UInt8](repeating: 0, count: 32)
            let file = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
            let count = unsafe read(file, &text, text.count)
            close(file)
            let name = String(decoding: text.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            answers.post(Seen(name: name, niceness: Self.niceness))
        }.join()
        return answers.collect().first
    }

    @Test func `one of the background makes way, and no other does`() throws {
        let ours = Self.niceness
        #expect(try #require(seen(.background)).niceness == min(ours + 5, 19))
        #expect(try #require(seen(.normal)).niceness == ours)
        #expect(Self.niceness == ours)
    }

    @Test func `it has as much of its name as the kernel keeps`() throws {
        #expect(try #require(seen(.normal)).name == "kb-test-thread-")
    }
}
