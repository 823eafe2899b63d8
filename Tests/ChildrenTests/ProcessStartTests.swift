import Children
import Glibc
import Testing

@Suite struct ProcessStartTests {
    /// What `sh -c` writes to both outputs, started as `change` says; and its status as waitpid(2) tells it.
    private func said(_ script: String, _ change: (inout ProcessStart) -> Void = { _ in }) throws -> (text: String, status: Int32) {
        var template = Array("/tmp/keybearer-start-XXXXXX".utf8CString)
        close(mkstemp(&template))
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        var start = ProcessStart()
        start.write(to: path, O_TRUNC)
        change(&start)
        var status: Int32 = 0
        #expect(waitpid(try start.run("/bin/sh", ["sh", "-c", script], environment: ["WORD=there"]), &status, 0) > 0)
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes.removeLast(4096 - fread(&bytes, 1, 4096, file))
        return (String(decoding: bytes, as: UTF8.self), status)
    }

    @Test func bothOutputsGoToTheFileAndTheEnvironmentIsAsGiven() throws {
        let (text, status) = try said("echo one; echo two $WORD >&2; exit 3")
        #expect(text == "one\ntwo there\n" && status == 3 << 8)
    }

    @Test func noSignalIsBlockedAndNoneIgnoredIfThatIsSaid() async {
        // In a process of its own, whose signals may be changed.
        await #expect(processExitsWith: .success) {
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, SIGTERM)
            pthread_sigmask(SIG_BLOCK, &mask, nil)
            signal(SIGUSR1, SIG_IGN)
            func ignored(_ change: (inout ProcessStart) -> Void) throws -> [UInt64] {
                let (text, _) = try ProcessStartTests().said("grep -E 'SigBlk|SigIgn' /proc/self/status", change)
                return text.split(whereSeparator: \.isWhitespace).compactMap { UInt64($0, radix: 16) }
            }
            let usr1 = UInt64(1) << UInt64(SIGUSR1 - 1)
            let (left, heeded) = try (ignored { _ in }, ignored { $0.heedAllSignals() })
            #expect(left.count == 2 && left[0] == 0 && left[1] & usr1 != 0, "\(left)")
            #expect(heeded.count == 2 && heeded[0] == 0 && heeded[1] & usr1 == 0, "\(heeded)")
        }
    }

    /// `ps` tells: process, group, session.
    @Test func groupSessionAndFolderAreItsOwn() throws {
        let script = "read -r line < /proc/self/stat; echo $$ $line; pwd"
        func numbers(_ text: String) -> [Int] { text.split(separator: "\n")[0].split(separator: " ").compactMap { Int($0) } }
        // $$, then of the stat line: process, parent, group, session.
        let grouped = numbers(try said(script) { $0.leaveGroup() }.text)
        #expect(grouped[0] == grouped[3] && grouped[0] != grouped[4])
        let alone = try said(script) {
            $0.leaveSession()
            $0.enter("/")
        }.text
        #expect(numbers(alone)[0] == numbers(alone)[3] && numbers(alone)[0] == numbers(alone)[4])
        #expect(alone.hasSuffix("\n/\n"))
    }

    @Test func whatCannotBeStartedIsToldWithTheSystemsWords() {
        var start = ProcessStart()
        let failure = #expect(throws: ProcessStart.Failure.self) { try start.run("/nowhere/program", ["program"]) }
        #expect(failure?.code == ENOENT && failure?.description == "No such file or directory")
    }
}
