import CLinux
import Glibc
import Testing

@testable import Children

/// A runner on a thread of the tests: the same loop as in a process of its own.
private func withRunner<Result>(_ body: (Runner) throws -> Result) rethrows -> Result {
    var pair: [Int32] = [-1, -1]
    precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0)
    let control = pair[1]
    var thread = pthread_t()
    let argument = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    argument.initialize(to: control)
    let code = pthread_create(
        &thread, nil,
        { argument in
            let number = argument!.assumingMemoryBound(to: Int32.self)
            var pipe = sigset_t()
            sigemptyset(&pipe)
            sigaddset(&pipe, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &pipe, nil)
            var runner = RunnerProcess(control: number.pointee) { Array($0.reversed()) }
            runner.run()
            close(number.pointee)
            number.deallocate()
            return nil
        }, argument)
    precondition(code == 0)
    defer { pthread_join(thread, nil) }
    let runner = Runner(control: pair[0])
    return try body(runner)
}

/// A shell that runs `script`.
private func shell(
    _ script: String, input: String = "", environment: [String: String] = [:], timeout: Duration = .seconds(10),
    silence: Duration = .seconds(10), limit: Int = 1 << 20
) -> Program {
    Program(
        "/bin/sh", ["-c", script], environment: environment, directory: "/", input: Array(input.utf8), timeout: timeout, silence: silence,
        outputLimit: limit)
}

private func text(_ result: Result<[UInt8], ProgramFailure>) -> String {
    switch result {
    case .success(let output): String(decoding: output, as: UTF8.self)
    case .failure(let failure): "\(failure)"
    }
}

@Suite struct RunnerTests {
    @Test func aProgramGetsItsInputArgumentsAndEnvironmentAndNothingElse() {
        withRunner { runner in
            #expect(text(runner.run(shell("cat; printf %s \"$A\"", input: "in ", environment: ["A": "b c"]))) == "in b c")
            let environment = text(runner.run(Program("/usr/bin/env", environment: ["ONLY": "this"])))
            #expect(environment == "ONLY=this\n")
        }
    }

    @Test func aProgramHasNoDescriptorButItsThreeAndNoBlockedSignal() {
        withRunner { runner in
            #expect(text(runner.run(shell("ls /proc/self/fd | wc -l"))).hasPrefix("4"), "three, and the one that ls opens")
            #expect(text(runner.run(shell("grep SigBlk /proc/self/status"))).hasSuffix("0000000000000000\n"))
        }
    }

    @Test(
        arguments: [
            ("exit 1", "\(ProgramFailure.exited(1))"), ("kill -9 $$", "\(ProgramFailure.killed(9))"),
            ("echo said; exit 3", "\(ProgramFailure.exited(3))"),
        ])
    func aProgramThatFailsSaysHow(script: String, expected: String) {
        #expect(withRunner { text($0.run(shell(script))) } == expected)
    }

    @Test func aProgramThatIsNotThereIsNotStarted() {
        #expect(withRunner { text($0.run(Program("/nowhere/at/all"))) } == "\(ProgramFailure.notStarted(ENOENT))")
    }

    @Test func aProgramThatHangsIsEndedWithAllItStarted() {
        let mark = "kb-\(UInt32.random(in: .min ... .max))"
        withRunner { runner in
            let began = ContinuousClock.now
            let hanging = shell("(exec -a \(mark) sleep 60) & exec -a \(mark) sleep 60", timeout: .milliseconds(400))
            var bash = hanging
            bash.path = "/bin/bash"
            #expect(runner.run(bash) == .failure(.timedOut))
            #expect(ContinuousClock.now - began < .seconds(5))
        }
        var isThere = true
        for _ in 0..<100 where isThere {
            isThere = commandLines().contains { $0.hasPrefix(mark) }
            usleep(20_000)
        }
        #expect(!isThere, "what it started went with it")
    }

    @Test func aProgramThatFallsSilentIsEnded() {
        withRunner { runner in
            #expect(runner.run(shell("echo a; sleep 20", timeout: .seconds(20), silence: .milliseconds(300))) == .failure(.silent))
            let talking = shell("for i in 1 2 3 4 5 6; do echo $i >&2; sleep 0.1; done; echo done", silence: .milliseconds(450))
            #expect(text(runner.run(talking)) == "done\n", "what it says on standard error is a sign of life, and nothing else")
        }
    }

    @Test func aProgramThatFloodsIsEnded() {
        withRunner { runner in
            #expect(runner.run(shell("yes", limit: 10_000)) == .failure(.tooMuchOutput))
            #expect(runner.run(shell("yes >&2", limit: 10_000)) == .failure(.tooMuchOutput))
        }
    }

    @Test func aProgramWhoseChildHoldsThePipeOpenHasEnded() {
        withRunner { runner in
            let began = ContinuousClock.now
            #expect(text(runner.run(shell("sleep 30 & echo said"))) == "said\n")
            #expect(ContinuousClock.now - began < .seconds(5))
        }
    }

    @Test func aProgramNeedNotReadItsInput() {
        let large = String(repeating: "x", count: 1 << 20)
        #expect(withRunner { text($0.run(shell("echo fine", input: large))) } == "fine\n")
    }

    @Test func outputOfAnySizeUpToTheLimitIsWhole() {
        #expect(withRunner { text($0.run(shell("head -c 1000000 /dev/zero | tr '\\0' x"))).count } == 1_000_000)
    }

    @Test func severalRunFourAtATimeAndEachFailsAlone() {
        withRunner { runner in
            let began = ContinuousClock.now
            let results = runner.run(
                (0..<8).map { number in number == 5 ? shell("exit 5") : shell("sleep 0.3; echo \(number)") })
            let time = ContinuousClock.now - began
            #expect(results.map(text) == ["0\n", "1\n", "2\n", "3\n", "4\n", "\(ProgramFailure.exited(5))", "6\n", "7\n"])
            #expect(time >= .milliseconds(580), "never more than four at a time")
        }
    }

    @Test func aRunnerThatHasGoneIsToldAtOnce() {
        var pair: [Int32] = [-1, -1]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        close(pair[1])
        #expect(Runner(control: pair[0]).run(shell("echo x")) == .failure(.noRunner))
    }

    @Test func whatIsReadIsWhatWasWritten() throws {
        let program = Program(
            "/a b", ["", "ü", "-x"], environment: ["A": "", "B": "=c"], directory: "/d", input: [0, 255], timeout: .milliseconds(1500),
            silence: .seconds(3), outputLimit: 7)
        let message = Wire.write(program)
        guard case .program(let read, let environment) = Wire.wish(message[Wire.headerSize...]) else {
            Issue.record("it is no program")
            return
        }
        var expected = program
        expected.environment = [:]
        #expect(read == expected)
        #expect(environment.sorted() == ["A=", "B==c"])
        for cut in Wire.headerSize..<message.count where Wire.wish(message[Wire.headerSize..<cut]) != nil {
            Issue.record("the first \(cut) bytes are a wish as well")
        }
    }

    @Test func questionsOfAnySizeAreAnsweredBetweenPrograms() {
        withRunner { runner in
            #expect(runner.ask([1, 2, 3]) == [3, 2, 1])
            #expect(text(runner.run(shell("echo said"))) == "said\n")
            #expect(runner.ask([]) == [])
            let large = [UInt8](repeating: 7, count: 1 << 20) + [8]
            #expect(runner.ask(large) == large.reversed())
        }
    }

    @Test func aRunnerThatHasGoneAnswersNothing() {
        var pair: [Int32] = [-1, -1]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        close(pair[1])
        #expect(Runner(control: pair[0]).ask([1]) == nil)
    }

    /// The command line of every process.
    private func commandLines() -> [String] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var lines: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int32(name) != nil, let file = fopen("/proc/\(name)/cmdline", "r") else { continue }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 256)
            lines.append(String(decoding: bytes[..<fread(&bytes, 1, 256, file)], as: UTF8.self))
        }
        return lines
    }
}
