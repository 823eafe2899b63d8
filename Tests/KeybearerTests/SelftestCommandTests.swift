import Glibc
import Testing

/// What can be asked of `keybearer selftest` in a moment; the whole run is Tests/full/selftest.py.
@Suite struct SelftestCommandTests {
    private let scratch: Scratch
    private let keybearer: Executable

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
    }

    @Test(arguments: ["0", "-1", "x", "86401"])
    func `A time that is none is refused`(seconds: String) throws {
        let outcome = try keybearer.run("selftest", "--seconds=\(seconds)")
        #expect(outcome.code == 64 && outcome.output.isEmpty, "\(outcome.errors)")
    }

    /// The hidden command must be no way to send somebody's refresh token somewhere.
    @Test(arguments: ["https://localhost:1/oauth/token", "https://auth.openai.com/oauth/token"])
    func `Its child touches nothing but a self-test's folder and this machine`(tokenURL: String) throws {
        let state = scratch.path + "/.keybearer"
        mkdir(state, 0o700)
        // Not even with the mark does it talk to another machine.
        if !tokenURL.contains("localhost") { try Text.write("", to: state + "/.keybearer-selftest") }
        let outcome = try keybearer.run(
            "selftest", "refresh", "--folder", state, "--profile", "p", "--token-url", tokenURL, "--client-id", "c", "--ca-file", "")
        #expect(outcome.code == 64 && outcome.output.isEmpty)
        #expect(outcome.errors.contains("for `keybearer selftest` alone"), "\(outcome.errors)")
    }

    @Test func `The child is not offered to people`() throws {
        #expect(try !keybearer.run("selftest", "--help").output.contains("SUBCOMMANDS"))
    }

    @Test func `Ctrl-C ends it, says so, and leaves neither children nor files`() throws {
        let folder = scratch.path + "/tmp"
        mkdir(folder, 0o700)
        let process = try keybearer.start(["selftest"], variables: ["TMPDIR": folder])
        // Long enough for the first children.
        usleep(1_500_000)
        #expect(try !names(in: folder).isEmpty, "it has a folder of its own")
        process.signal(SIGINT)
        #expect(process.wait() == 1)
        #expect(process.errors == "keybearer: stopped before the end; nothing was decided\n")
        #expect(process.output.isEmpty)
        #expect(try names(in: folder).isEmpty)
        #expect(!running().contains { $0.contains(folder) }, "a child names the folder on its command line")
    }

    /// The command lines of everything that runs.
    private func running() -> [String] {
        ((try? names(in: "/proc")) ?? []).filter { Int($0) != nil }.map { Text.read("/proc/\($0)/cmdline") }
    }

    private func names(in path: String) throws -> [String] {
        let stream = try #require(opendir(path))
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
