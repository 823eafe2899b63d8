internal import Children
internal import Glibc

/// A program that a command starts: by posix_spawn, before any thread of ours exists, with no descriptor of ours but the three
/// standard ones.
struct ChildProcess {
    /// What it is given for its standard descriptors, and which group of the terminal's it belongs to.
    enum Terminal {
        /// Ours: a person talks to it, and Ctrl-C ends it.
        case shared
        /// None: it says nothing to the person, and Ctrl-C is not for it.
        case none
    }

    private let id: pid_t

    /// Starts it; nil when the system will not. `hiding` are variables that are none of its business.
    init?(_ path: String, _ arguments: [String], terminal: Terminal, hiding: Set<String> = []) {
        var start = ProcessStart()
        if terminal == .none {
            start.standAlone()
            start.leaveGroup()
        }
        let environment = ProcessEnvironment.all.filter { !hiding.contains($0.key) }.map { "\($0.key)=\($0.value)" }
        guard let id = try? start.run(path, [path] + arguments, environment: environment) else { return nil }
        self.id = id
    }

    /// Its exit code (128 + the signal's number when one ended it), once it has ended; nil while it runs.
    func exitCode(waiting: Bool) -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = unsafe waitpid(id, &status, waiting ? 0 : WNOHANG)
            if ended < 0, errno == EINTR { continue }
            guard ended == id else { return nil }
            let signal = status & 0x7f
            return signal == 0 ? (status >> 8) & 0xff : 128 + signal
        }
    }
}
