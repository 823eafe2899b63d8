import Configuration
import Glibc
import Testing

@testable import Tools

/// The built-in providers, and one of the user's own.
enum Providers {
    static let all: [Provider] = {
        let text = "{ providers: { mine: { baseURL: 'https://models.example/api' }, versioned: { baseURL: 'https://models.example/v2' } } }"
        return try! Settings(file: SettingsText(path: "test", bytes: Array(text.utf8))).providers
    }()

    static func named(_ id: String) -> Provider { all.first { $0.id == id }! }
}

/// The same numbers at every run (SplitMix64), so that a failure can be looked at.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func one<Element>(_ elements: [Element]) -> Element { elements.randomElement(using: &self)! }
}

/// A folder for one test, removed at its end.
final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/keybearer-tools-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = Process.run(["/bin/rm", "-rf", path]) }

    func write(_ text: String, to name: String, mode: mode_t = 0o600) throws -> String {
        let path = "\(self.path)/\(name)"
        let stream = try #require(fopen(path, "w"))
        let bytes = Array(text.utf8)
        #expect(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
        fclose(stream)
        chmod(path, mode)
        return path
    }

    static func text(_ path: String) -> String? {
        (try? ToolFile(path: path).read()).flatMap { $0.map { String(decoding: $0, as: UTF8.self) } }
    }
    static func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }
}

/// Another program's output.
enum Process {
    static func run(_ arguments: [String]) -> String {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return "" }
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        posix_spawn_file_actions_adddup2(&files, ends[1], 1)
        posix_spawn_file_actions_addclose(&files, ends[0])
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in argv { free(pointer) } }
        var id = pid_t()
        let isStarted = posix_spawn(&id, arguments[0], &files, nil, &argv, environ) == 0
        posix_spawn_file_actions_destroy(&files)
        close(ends[1])
        defer { close(ends[0]) }
        guard isStarted else { return "" }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(ends[0], &buffer, buffer.count), count > 0 { output += buffer[..<count] }
        waitpid(id, nil, 0)
        return String(decoding: output, as: UTF8.self)
    }

    static func exists(_ path: String) -> Bool { access(path, X_OK) == 0 }
}
