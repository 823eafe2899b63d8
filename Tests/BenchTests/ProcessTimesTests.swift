import Glibc
import Testing

@testable import Bench

/// What /proc says.
@Suite struct ProcessTimesTests {
    private let stat = "12 (a (b) c) S 7 12 12 0 -1 4194560 1 0 0 0 150 25 3 4 20 0 1 0 100 0 0\n"

    @Test func `Times and parents stand behind a name that may hold anything`() {
        #expect(ProcessTimes.ticks(stat: stat) == 175)
        #expect(ProcessTimes.parent(stat: stat) == 7)
        #expect(ProcessTimes.ticks(stat: "12 (a") == nil && ProcessTimes.parent(stat: "") == nil)
        #expect(ProcessTimes.onProcessor(schedstat: "189476 2419708 2\n") == 189_476)
    }

    @Test func `Memory is told in MiB`() {
        let status = "Name:\tx\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n"
        #expect(ProcessTimes.mebibytes("VmRSS", status: status) == 10 && ProcessTimes.mebibytes("VmHWM", status: status) == 20)
        #expect(ProcessTimes.mebibytes("VmSwap", status: status) == nil)
    }

    @Test func `A machine's idle and waiting time is not busy`() {
        #expect(ProcessTimes.busyTicks(stat: "cpu  100 1 20 5000 300 2 3 4 0 0\ncpu0 9 9 9 9 9 9 9 9\n") == 130)
        #expect(ProcessTimes.busyTicks(stat: "") == 0)
    }

    @Test func `This process is found, and its time passes`() async {
        // In a process of its own: what other tests' threads have had is no longer counted once they end.
        await #expect(processExitsWith: .success) {
            let own = getpid()
            #expect(ProcessTimes.tree(of: own).first == own && ProcessTimes.tree(of: getppid()).contains(own))
            let before = (ProcessTimes.processorSeconds(of: [own]), ProcessTimes.ownSeconds())
            var sum = 0.0
            while ProcessTimes.ownSeconds() - before.1 < 0.05 { sum += ProcessTimes.machineSeconds() }
            #expect(sum > 0)
            #expect(ProcessTimes.processorSeconds(of: [own]) > before.0)
            #expect(ProcessTimes.mebibytes("VmRSS", of: [own]) > 1)
        }
    }

    @Test func `A processor's make is its model name`() {
        #expect(Surroundings.processorModel(cpuinfo: "processor\t: 0\nmodel name\t: AMD EPYC: 7\nx: y") == "AMD EPYC: 7")
        #expect(Surroundings.processorModel(cpuinfo: "") == nil)
        #expect(Surroundings.date.wholeMatch(of: /20\d\d-[01]\d-[0-3]\d/) != nil)
    }
}
