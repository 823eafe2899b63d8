internal import Sockets
internal import Synchronization

/// Many tools at once, each on a thread and a connection of its own.
final class DemoCrowd: Sendable {
    private let waiting = Atomic(0)
    private let start = Latch()
    private let answers = Mutex<[DemoAnswer]>([])

    private init() {}

    /// Connects `count` tools, lets them post all together, and waits for every answer. One that could not connect has status 0.
    static func post(_ count: Int, port: UInt16, _ path: String, json: String, fields: [(name: String, value: String)]) -> [DemoAnswer] {
        let crowd = DemoCrowd()
        for _ in 0..<count {
            Thread(name: "kb-demo-tool", stackSize: 256 << 10) {
                let client = DemoClient(port: port)
                crowd.waiting.add(1, ordering: .relaxed)
                while !crowd.start.isRaised { Pause.milliseconds(1) }
                let answer = client?.post(path, json: json, fields: fields) ?? DemoAnswer()
                crowd.answers.withLock { $0.append(answer) }
            }.detach()
        }
        while crowd.waiting.load(ordering: .relaxed) < count { Pause.milliseconds(1) }
        crowd.start.raise()
        while true {
            let answers = crowd.answers.withLock { $0 }
            if answers.count == count { return answers }
            Pause.milliseconds(1)
        }
    }
}
