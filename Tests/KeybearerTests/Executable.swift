import Glibc
import Testing

/// The built `keybearer`, run as a person would run it: as a process of its own, with an environment of ours alone.
struct Executable {
    /// What a run came to.
    struct Outcome {
        let code: Int32
        let output: String
        let errors: String
        /// Both, to look for what must be in neither.
        var everything: String { output + errors }
    }

    /// `$HOME` of the runs, and where their files are: temporary ones too, which one that is killed leaves.
    let home: String

    /// Beside the test bundle, where SwiftPM builds products.
    static let path: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        let bundle = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return bundle.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/keybearer"
    }()

    /// Runs to the end.
    func run(_ arguments: String..., input: String = "", variables: [String: String] = [:]) throws -> Outcome {
        let process = try start(arguments, input: input, variables: variables)
        let code = process.wait()
        return Outcome(code: code, output: process.output, errors: process.errors)
    }

    /// Starts and leaves it running.
    ///
    /// - Parameter terminal: a terminal for standard input, in place of `input`.
    func start(
        _ arguments: [String], input: String = "", terminal: String? = nil, variables: [String: String] = [:]
    ) throws -> RunningProcess {
        let surroundings = ["HOME": home, "TMPDIR": home, "PATH": "/usr/bin:/bin"].merging(Self.sanitizerOptions) { $1 }
        return try RunningProcess(
            Self.path, arguments, input: input, terminal: terminal, environment: surroundings.merging(variables) { $1 }, folder: home)
    }

    /// Where the tests run under a sanitizer, so does the executable: with the same options, and free to start what gives reports their names.
    static let sanitizerOptions: [String: String] = ["ASAN_OPTIONS", "TSAN_OPTIONS"].reduce(into: [:]) { options, name in
        guard let value = getenv(name) else { return }
        options[name] = String(cString: value)
        options["KEYBEARER_DEBUG"] = "1"
    }
}

/// A process that was started here, with its output in files. It is killed when its owner goes.
final class RunningProcess {
    private let id: pid_t
    /// For a look at it in /proc.
    var processID: pid_t { id }
    private let folder: String
    private var code: Int32?

    init(
        _ path: String, _ arguments: [String], input: String, terminal: String? = nil, environment: [String: String], folder: String
    ) throws {
        self.folder = "\(folder)/run-\(UInt64.random(in: .min ... .max))"
        mkdir(self.folder, 0o700)
        try Text.write(input, to: "\(self.folder)/in")
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        posix_spawn_file_actions_addopen(&files, 0, terminal ?? "\(self.folder)/in", O_RDWR | O_NOCTTY, 0)
        posix_spawn_file_actions_addopen(&files, 1, "\(self.folder)/out", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&files, 2, "\(self.folder)/err", O_WRONLY | O_CREAT, 0o600)
        // The test runner's threads block signals; the process starts with none blocked.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        defer {
            posix_spawn_file_actions_destroy(&files)
            posix_spawnattr_destroy(&attributes)
        }
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var id = pid_t()
        try #require(posix_spawn(&id, path, &files, &attributes, &argv, &envp) == 0, "\(path) cannot be started")
        self.id = id
    }

    deinit {
        if code == nil {
            kill(id, SIGKILL)
            wait()
        }
    }

    var output: String { Text.read("\(folder)/out") }
    var errors: String { Text.read("\(folder)/err") }

    func signal(_ number: Int32) { kill(id, number) }

    /// Its exit code; 128 + the signal's number when one ended it.
    @discardableResult
    func wait() -> Int32 {
        if let code { return code }
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        let ended = status & 0x7f
        code = ended == 0 ? (status >> 8) & 0xff : 128 + ended
        return code ?? -1
    }

    /// Waits until `text` makes a value of what was written to standard error.
    @discardableResult
    func waitFor<Found>(_ text: (String) -> Found?) throws -> Found {
        for _ in 0..<1000 {
            if let found = text(errors) { return found }
            usleep(10_000)
        }
        return try #require(text(errors), "after 10 s standard error holds: \(errors)")
    }
}

/// A folder for one test, removed at its end.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/keybearer-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        if unlink(path) == 0 { return }
        guard let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
        closedir(stream)
        rmdir(path)
    }
}

/// Small files.
enum Text {
    static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        let bytes = Array(text.utf8)
        try #require(Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    static func read(_ path: String) -> String {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
