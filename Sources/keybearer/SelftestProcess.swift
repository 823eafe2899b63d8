internal import Children
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
        var start = ProcessStart()
        start.open("/dev/null", O_RDONLY, as: STDIN_FILENO)
        start.write(to: outputPath, O_TRUNC)
        // The parent ends its children itself.
        start.leaveGroup()
        let path = Surroundings.executable
        do {
            id = try start.run(path, [path] + arguments)
        } catch {
            throw Failure.failed("cannot start \(path): \(error)")
        }
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
