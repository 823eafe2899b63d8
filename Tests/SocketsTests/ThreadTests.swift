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

    @Test func `one that gives way keeps its share, and others are as before`() {
        let found = Mailbox<(gaveWay: Bool, policy: Int32, priority: Int32)>()
        let priority = getpriority(Int32(PRIO_PROCESS.rawValue), 0)
        Thread(name: "kb-test") {
            found.post((Thread.giveWay(), sched_getscheduler(0), getpriority(Int32(PRIO_PROCESS.rawValue), 0)))
        }.join()
        let thread = found.collect()
        #expect(thread.count == 1)
        #expect(thread.first?.gaveWay == true)
        #expect(thread.first?.policy == 3)  // SCHED_BATCH, sched(7)
        #expect(thread.first?.priority == priority)
        #expect(sched_getscheduler(0) == SCHED_OTHER)
    }
}
