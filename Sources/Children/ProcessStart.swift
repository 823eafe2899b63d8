internal import CLinux
internal import Glibc

/// How another program is started (posix_spawn(3), which a process with threads may call): where its descriptors lead, its folder, its group,
/// its signals. What is not said is as in this process, but that no signal is blocked: we may have blocked those that ask us to end.
@safe
public struct ProcessStart: ~Copyable {
    /// Why it was not started.
    public struct Failure: Error, CustomStringConvertible {
        /// As `errno`.
        public let code: Int32
        /// The system's words for it.
        public var description: String { unsafe String(cString: strerror(code)) }
    }

    private var files = unsafe posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
    private var flags = POSIX_SPAWN_SETSIGMASK

    /// A start of which nothing special has been said.
    public init() {
        unsafe posix_spawn_file_actions_init(&files)
        unsafe posix_spawnattr_init(&attributes)
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
    }
    deinit {
        var (files, attributes) = unsafe (files, attributes)
        unsafe posix_spawn_file_actions_destroy(&files)
        unsafe posix_spawnattr_destroy(&attributes)
    }

    // MARK: Descriptors, done in the order in which they are said

    /// `number` leads to the file at `path`, opened with `access` (open(2)); one that is made is its owner's alone.
    public mutating func open(_ path: String, _ access: Int32, as number: Int32) {
        unsafe posix_spawn_file_actions_addopen(&files, number, path, access, 0o600)
    }
    /// `number` leads where `descriptor` does.
    public mutating func pass(_ descriptor: Int32, as number: Int32) {
        unsafe posix_spawn_file_actions_adddup2(&files, descriptor, number)
    }
    /// All three standard descriptors lead nowhere.
    public mutating func standAlone() {
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { open("/dev/null", O_RDWR, as: number) }
    }
    /// Both outputs go to the file at `path`, opened with `access` besides O_WRONLY and O_CREAT.
    public mutating func write(to path: String, _ access: Int32) {
        open(path, O_WRONLY | O_CREAT | access, as: STDOUT_FILENO)
        pass(STDOUT_FILENO, as: STDERR_FILENO)
    }
    /// No descriptor from `number` on is there.
    public mutating func close(from number: Int32) { unsafe _ = kb_spawn_close_from(&files, number) }
    /// Its working directory.
    public mutating func enter(_ folder: String) { unsafe _ = kb_spawn_change_directory(&files, folder) }

    // MARK: Signals

    /// A group of its own: Ctrl-C at a terminal is not for it, and the whole group can be ended.
    public mutating func leaveGroup() {
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        flags |= POSIX_SPAWN_SETPGROUP
    }
    /// A session of its own, as with setsid(2).
    public mutating func leaveSession() { flags |= Int32(kb_spawn_session) }
    /// No signal is ignored, whatever we ignore.
    public mutating func heedAllSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        flags |= POSIX_SPAWN_SETSIGDEF
    }

    // MARK: The start

    /// Starts the program at `path`; its process, which the caller waits for. `arguments`: with the name first. `environment`: `name=value`
    /// each; nil: as ours.
    public mutating func run(_ path: String, _ arguments: [String], environment: [String]? = nil) throws(Failure) -> Int32 {
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        let argv = CStrings(arguments)
        let variables = environment.map { CStrings($0) }
        var process = pid_t()
        let code = unsafe posix_spawn(&process, path, &files, &attributes, argv.pointers, variables?.pointers ?? environ)
        guard code == 0 else { throw Failure(code: code) }
        return process
    }
}
