internal import CLinux
internal import Digest
internal import Glibc
internal import Synchronization

/// The door to the runner process. Any thread may run programs through it at any time; each call blocks until its programs have ended,
/// at most for the time that they may take.
public final class Runner: Sendable {
    private let executable: String
    private let state = Mutex(State.notStarted)

    private enum State {
        case notStarted
        /// Its socket, and its process where it is a child of ours.
        case running(Int32, pid_t?)
        case failed
    }

    /// How many programs of one call run at a time.
    static let atOnce = 4
    /// How much longer than a program may take its result is waited for.
    private static let grace = Duration.seconds(5)

    /// A runner that is a process of the program at `executable`, whose main function calls `RunnerProcess.serveIfAsked` first. It is
    /// started by ``start()``, or else by the first program.
    public init(executable: String = "/proc/self/exe") { self.executable = executable }

    /// A runner on the other end of `control`.
    init(control: Int32) {
        executable = ""
        state.withLock { $0 = .running(control, nil) }
    }

    /// The process ends by itself when its socket closes; the kernel keeps a place for it until somebody has asked how.
    deinit {
        guard case .running(let control, let process) = state.withLock({ $0 }) else { return }
        close(control)
        guard let process else { return }
        var status: Int32 = 0
        for _ in 0..<200 {
            guard unsafe waitpid(process, &status, WNOHANG) == 0 else { return }
            usleep(5_000)
        }
    }

    /// Starts the process: for a server, before it has a thread. False when the system would not.
    @discardableResult
    public func start() -> Bool { control() != nil }

    /// What `program` said, once it has ended with code 0. The bytes may be a secret: wipe them.
    public func run(_ program: Program) -> Result<[UInt8], ProgramFailure> { run([program])[0] }

    /// The same of several, four at a time; the results stand where their programs do. One that fails fails alone.
    public func run(_ programs: [Program]) -> [Result<[UInt8], ProgramFailure>] {
        var results: [Result<[UInt8], ProgramFailure>] = []
        var started: [Int32?] = []
        for index in programs.indices {
            while started.count < min(index + Self.atOnce, programs.count) { started.append(send(programs[started.count])) }
            results.append(started[index].map { receive($0, until: .now + programs[index].timeout + Self.grace) } ?? .failure(.noRunner))
        }
        return results
    }

    /// What the runner's process says to a question (`RunnerProcess.serveIfAsked`); nil when it is not there.
    public func ask(_ question: [UInt8]) -> [UInt8]? {
        guard let socket = send(Wire.write(question: question)) else { return nil }
        return try? receive(socket, until: .now + Self.grace).get()
    }

    /// Hands `program` over; our end of the socket on which its result will come.
    private func send(_ program: Program) -> Int32? {
        var message = Wire.write(program)
        defer { Memory.cleanse(&message) }
        return send(message)
    }

    private func send(_ message: [UInt8]) -> Int32? {
        guard let control = control() else { return nil }
        var pair: [Int32] = [-1, -1]
        guard unsafe kb_socket_pair(&pair) == 0 else { return nil }
        let isHandedOver = kb_send_descriptor(control, pair[1]) == 0
        close(pair[1])
        guard isHandedOver, write(message, to: pair[0]) else {
            close(pair[0])
            return nil
        }
        return pair[0]
    }

    private func write(_ message: [UInt8], to socket: Int32) -> Bool {
        var written = 0
        while written < message.count {
            let count = unsafe message.withUnsafeBytes { bytes in
                unsafe kb_send(socket, bytes.baseAddress.unsafelyUnwrapped + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    /// The result on `socket`, which is closed then: a program that still runs is killed by that.
    private func receive(_ socket: Int32, until deadline: ContinuousClock.Instant) -> Result<[UInt8], ProgramFailure> {
        defer { close(socket) }
        var message: [UInt8] = []
        defer { Memory.cleanse(&message) }
        // An answer is not longer than its length says: room for all of it before it is read, so that nothing of it is left behind.
        message.reserveCapacity(Wire.headerSize)
        while true {
            let length = Wire.length(message)
            if let length, message.count >= Wire.headerSize + length { return Wire.result(message[Wire.headerSize...]) }
            if let length { message.reserveCapacity(Wire.headerSize + length) }
            let wanted = Wire.headerSize + (length ?? 0) - message.count
            guard wait(for: socket, until: deadline), read(wanted, from: socket, into: &message) else { return .failure(.noRunner) }
        }
    }

    private func wait(for socket: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = deadline - .now
            guard left > .zero else { return false }
            var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let count = unsafe poll(&entry, 1, Int32(clamping: Int64(left / .milliseconds(1)) + 1))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }

    private func read(_ count: Int, from socket: Int32, into message: inout [UInt8]) -> Bool {
        guard count > 0 else { return false }
        return unsafe withUnsafeTemporaryAllocation(byteCount: min(count, 64 << 10), alignment: 1) { bytes in
            var read = unsafe Glibc.read(socket, bytes.baseAddress, bytes.count)
            while read < 0, errno == EINTR { read = unsafe Glibc.read(socket, bytes.baseAddress, bytes.count) }
            if read > 0 { unsafe message.append(contentsOf: bytes[..<read]) }
            unsafe Memory.cleanse(bytes)
            return read > 0
        }
    }

    // MARK: The process

    private func control() -> Int32? {
        state.withLock { state in
            if case .notStarted = state { state = spawn().map { .running($0, $1) } ?? .failed }
            guard case .running(let control, _) = state else { return nil }
            return control
        }
    }

    /// Starts this program again as the runner; our end of its socket, and its process.
    private func spawn() -> (Int32, pid_t)? {
        var pair: [Int32] = [-1, -1]
        guard unsafe kb_socket_pair(&pair) == 0 else { return nil }
        defer { close(pair[1]) }
        var start = ProcessStart()
        start.standAlone()
        start.pass(pair[1], as: RunnerProcess.descriptor)
        start.close(from: RunnerProcess.descriptor + 1)
        start.enter("/")
        start.leaveGroup()
        guard let id = try? start.run(executable, [RunnerProcess.name], environment: []) else {
            close(pair[0])
            return nil
        }
        return (pair[0], id)
    }
}
