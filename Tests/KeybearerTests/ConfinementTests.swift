import Glibc
import Testing

@testable import keybearer

@Suite struct ConfinementTests {
    /// In a process of its own, since it holds for good.
    @Test func `A confined process writes below its folders alone, runs nothing, and reads on`() async throws {
        let scratch = try Scratch()
        let (own, other) = (scratch.path + "/own", scratch.path + "/other")
        try #require(mkdir(own, 0o700) == 0 && mkdir(other, 0o700) == 0)
        await #expect(processExitsWith: .success) { [own = own as String, other = other as String] in
            func makes(_ path: String) -> Bool { open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600) >= 0 }
            precondition(makes(own + "/there") && makes(other + "/there"))
            ProcessLimits.forbidNewPrivileges()
            let outcome = Confinement.confine(writingBelow: [own, own + "/missing"])
            guard outcome == .confined else {
                precondition(outcome == .not("this kernel has no Landlock"), "\(outcome)")
                return
            }
            precondition(makes(own + "/new") && rename(own + "/new", own + "/renamed") == 0 && unlink(own + "/renamed") == 0)
            precondition(open(own + "/there", O_WRONLY | O_TRUNC) >= 0)
            for refused in [makes(other + "/new"), open(other + "/there", O_WRONLY) >= 0, unlink(other + "/there") == 0] {
                precondition(!refused && errno == EACCES)
            }
            precondition(open("/etc/passwd", O_RDONLY) >= 0)
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
            precondition(execv("/bin/true", &arguments) == -1 && errno == EACCES)
        }
    }

    @Test func `Where the kernel does not do it, the reason is told and the process goes on`() async throws {
        let scratch = try Scratch()
        try Text.write("", to: scratch.path + "/file")
        await #expect(processExitsWith: .success) { [path = scratch.path as String] in
            ProcessLimits.forbidNewPrivileges()
            // A rule for what is no folder cannot be had.
            let outcome = Confinement.confine(writingBelow: [path + "/file"])
            precondition(outcome == .not("\(path)/file cannot be named in a rule") || outcome == .not("this kernel has no Landlock"))
            precondition(open(path + "/other", O_WRONLY | O_CREAT, 0o600) >= 0)
        }
    }
}
