internal import Glibc

/// What the process finds around it. Read once, before any thread is started.
struct Surroundings {
    /// The variables Keybearer knows, as far as they are set.
    let environment: [String: String]
    /// The user's home folder, absolute; nil on a machine that has none for this user.
    let home: String?
    /// The folder relative paths start from.
    let currentDirectory: String

    /// The surroundings of this process.
    static var current: Surroundings {
        var environment: [String: String] = [:]
        for name in variables {
            if let value = unsafe getenv(name) { environment[name] = unsafe String(cString: value) }
        }
        return Surroundings(environment: environment, home: home(environment), currentDirectory: workingDirectory)
    }

    /// Whether core dumps and debuggers are wanted, by `KEYBEARER_DEBUG=1`.
    var allowsDebugging: Bool { environment["KEYBEARER_DEBUG"] == "1" }

    /// Where temporary folders go.
    var temporaryDirectory: String {
        guard let path = environment["TMPDIR"], path.hasPrefix("/") else { return "/tmp" }
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// Where this program's file is, for command lines to paste: it need not be on anybody's path.
    static var executable: String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe readlink("/proc/self/exe", $0.baseAddress.unsafelyUnwrapped, $0.count) }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : "keybearer"
    }

    private static let variables = [
        "HOME", "TMPDIR", "KEYBEARER_STATE_DIR", "KEYBEARER_DEBUG", "OPENCLAW_STATE_DIR", "MOLTBOT_STATE_DIR", "CLAWDBOT_STATE_DIR",
    ]

    /// `$HOME`, else what the user database says: a service may have no environment to speak of.
    private static func home(_ environment: [String: String]) -> String? {
        if let home = environment["HOME"], home.hasPrefix("/") { return home }
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard unsafe getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0, unsafe found != nil,
            let directory = unsafe entry.pw_dir
        else { return nil }
        let home = unsafe String(cString: directory)
        return home.hasPrefix("/") ? home : nil
    }

    private static var workingDirectory: String {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}
