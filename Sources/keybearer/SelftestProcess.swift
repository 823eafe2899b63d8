internal import Files
internal import Glibc

/// A child of the self-test: this program again, with its output in a file. It is killed and reaped when its owner goes.
final class SelftestProcess {
    private let id: pid_t
    private let outputPath: String
    /// Its exit code, or 128 and the signal's number; nil until it has ended.
    private var code: Int32?

    /// Starts it with `arguments`; both outputs go to `outputPath`.
    init(_ arguments: [String], outputPath: String) throws {
        self.outputPath = outputPath
        var files = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&files)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&files)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO)
        // The parent has blocked the signals that ask it to end; a child is to be killable like any command.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        // A group of its own: Ctrl-C is for the parent, which ends its children itself.
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        let path = Surroundings.executable
        var argv = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe argv.indices { unsafe free(argv[index]) } }
        var id = pid_t()
        let error = unsafe posix_spawn(&id, path, &files, &attributes, &argv, environ)
        guard error == 0 else { throw Failure.failed("cannot start \(path): \(unsafe String(cString: strerror(error)))") }
        self.id = id
    }

    deinit {
        guard code == nil else { return }
        _ = kill(id, SIGKILL)
        _ = wait(for: .seconds(10))
    }

    /// Sends it a signal, unless it has ended.
    func signal(_ number: Int32) {
        if code == nil { _ = kill(id, number) }
    }

    /// Waits until it has ended; nil when it is still there after `limit`.
    func wait(for limit: Duration) -> Int32? {
        poll(for: limit, WNOHANG) { $0 & 0xff != 0x7f }
        return code
    }

    /// Waits until it has stopped itself; false when it has ended, or is still running after `limit`.
    func waitUntilStopped(for limit: Duration) -> Bool {
        poll(for: limit, WNOHANG | WUNTRACED) { _ in true } && code == nil
    }

    /// How each of its clients' refreshes ended; empty when it was killed first.
    var outcomes: [SelftestOutcome] { output.split(separator: "\n").compactMap { SelftestOutcome($0) } }

    /// What it has printed.
    var output: String {
        guard let contents = try? PrivateFile.read(outputPath) else { return "" }
        return String(decoding: contents.bytes, as: UTF8.self)
    }

    /// Asks for news of it until there are some that are `wanted`.
    @discardableResult
    private func poll(for limit: Duration, _ options: Int32, _ isWanted: (_ status: Int32) -> Bool) -> Bool {
        let deadline = ContinuousClock.now + limit
        while code == nil {
            var status: Int32 = 0
            if unsafe waitpid(id, &status, options) == id, isWanted(status) {
                if status & 0xff != 0x7f { code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f) }
                return true
            }
            guard ContinuousClock.now < deadline else { return false }
            usleep(500)
        }
        return true
    }
}
