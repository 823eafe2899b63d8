import Sockets
import Testing

@Suite struct MailboxTests {
    @Test func messagesComeInOrderAndOnce() {
        let mailbox = Mailbox<Int>()
        #expect(mailbox.collect() == [])
        for number in 1...3 { mailbox.post(number) }
        #expect(mailbox.collect() == [1, 2, 3])
        #expect(mailbox.collect() == [])
    }

    @Test func theDescriptorIsReadableWhileMessagesWait() {
        let mailbox = Mailbox<Int>()
        let poller = Poller()
        poller.add(mailbox.descriptor, .read)
        #expect(poller.wait(milliseconds: 0) == 0)
        mailbox.post(1)
        mailbox.post(2)
        #expect(poller.wait(milliseconds: 0) == 1)
        #expect(poller.descriptor(at: 0) == mailbox.descriptor)
        _ = mailbox.collect()
        #expect(poller.wait(milliseconds: 0) == 0)
        mailbox.post(3)
        #expect(poller.wait(milliseconds: 0) == 1)
    }

    @Test func nothingIsLostBetweenManyWritersAndAnOwnerThatSleeps() {
        let mailbox = Mailbox<Int>()
        let writers = 4
        let each = 5_000
        for writer in 0..<writers {
            Thread(name: "writer") {
                for number in 0..<each { mailbox.post(writer * each + number) }
            }.detach()
        }
        let poller = Poller()
        poller.add(mailbox.descriptor, .read)
        var last = [Int](repeating: -1, count: writers)
        var count = 0
        while count < writers * each {
            guard poller.wait(milliseconds: 5_000) > 0 else { break }
            for message in mailbox.collect() {
                let (writer, number) = message.quotientAndRemainder(dividingBy: each)
                if number != last[writer] + 1 { Issue.record("\(number) of writer \(writer) came after \(last[writer])") }
                last[writer] = number
                count += 1
            }
        }
        #expect(count == writers * each)
    }
}
