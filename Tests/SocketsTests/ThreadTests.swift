import Glibc
import Sockets
import Testing

@Suite struct ThreadTests {
    @Test func `it has as much of its name as the kernel keeps`() {
        let names = Mailbox<String>()
        Thread(name: "kb-test-thread-of-a-long-name") {
            var text = [UInt8](repeating: 0, count: 32)
            let file = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
            let count = unsafe read(file, &text, text.count)
            close(file)
            names.post(String(decoding: text.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        }.join()
        #expect(names.collect() == ["kb-test-thread-"])
    }
}
