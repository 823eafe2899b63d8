import Sockets
import Synchronization
import Testing

@Suite struct ResolverTests {
    @Test(arguments: ["127.0.0.1", "localhost"])
    func loopbackIsFound(host: String) {
        guard case .addresses(let addresses) = Resolver.look(host) else {
            Issue.record("\(host) was not found")
            return
        }
        #expect(!addresses.isEmpty)
        #expect(addresses.allSatisfy { $0.isLoopback && $0.port == 0 })
        #expect(Set(addresses).count == addresses.count)
    }

    @Test(arguments: ["does-not-exist.invalid", "", "two words"])
    func aNameThatIsNotThereFailsInWords(host: String) {
        guard case .failed(let reason) = Resolver.look(host) else {
            Issue.record("\(host) was found")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func everyQuestionIsAnsweredOnceEvenWhenItIsStopped() {
        let resolver = Resolver()
        let answers = Mutex<[Int]>([])
        for number in 0..<20 { resolver.resolve("127.0.0.1") { _ in answers.withLock { $0.append(number) } } }
        resolver.stop()
        for _ in 0..<500 where answers.withLock({ $0.count }) < 20 { Pause.milliseconds(10) }
        #expect(answers.withLock { $0 } == Array(0..<20))
    }
}
