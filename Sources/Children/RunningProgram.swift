internal import CLinux
internal import Digest
internal import Glibc

/// A program that the runner has started: its process, its three pipes, and how long it may go on.
/// ```
/// started ─▶ input written, output read ─▶ ended, and its output read to the end ─▶ result
///                     │ too long, too silent, too much, nobody waits
///                     ▼
///           its whole group is killed ─▶ result
/// ```
/// It has a process group of its own, so that what it started goes with it.
final class RunningProgram {
    private let program: Program
    private let id: pid_t
    /// Readable once the process has ended; -1 on kernels that cannot say so.
    private let endDescriptor: Int32
    private var input: Int32
    private var output: Int32
    private var errors: Int32
    private var written = 0
    private var received: [UInt8] = []
    private var errorBytes = 0
    private let deadline: ContinuousClock.Instant
    private var lastSign: ContinuousClock.Instant
    private var isReaped = false

    /// What came of it; nil while it runs.
    private(set) var result: Result<[UInt8], ProgramFailure>?

    /// Starts `program`, with `environment` as `NAME=value`.
    init(_ program: Program, environment: [String]) throws(ProgramFailure) {
        let pipes = try Pipes()
        self.program = program
        id = try Self.spawn(program, environment, pipes)
        (input, output, errors) = pipes.takeOurs()
        endDescriptor = kb_process_descriptor(id)
        lastSign = .now
        deadline = lastSign + program.timeout
        received.reserveCapacity(4096)
        if program.input.isEmpty { closeInput() }
    }

    deinit {
        for descriptor in [input, output, errors, endDescriptor] where descriptor >= 0 { close(descriptor) }
        Memory.cleanse(&received)
    }

    // MARK: For the runner's loop

    /// What to wait for.
    var interests: [pollfd] {
        var list: [pollfd] = []
        if input >= 0 { list.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
        for descriptor in [output, errors, endDescriptor] where descriptor >= 0 {
            list.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        }
        return list
    }

    /// When to look again even if nothing happens.
    var nextLook: ContinuousClock.Instant {
        let limit = min(deadline, lastSign + program.silence)
        return endDescriptor >= 0 ? limit : min(limit, .now + .milliseconds(20))
    }

    /// Does whatever can be done without waiting, and decides whether it is over.
    func proceed() {
        guard result == nil else { return }
        let hasEnded = takeStatus()
        write()
        read(&output, keeps: true)
        read(&errors, keeps: false)
        if received.count + errorBytes > program.outputLimit { return finish(.failure(.tooMuchOutput)) }
        // Its own end counts, also where something it started holds the pipe open: what it had said has been read.
        if let code = hasEnded { return finish(code == 0 ? .success(received) : .failure(code < 0 ? .killed(-code) : .exited(code))) }
        let now = ContinuousClock.now
        if now >= deadline { return finish(.failure(.timedOut)) }
        if now >= lastSign + program.silence { finish(.failure(.silent)) }
    }

    /// Nobody waits for it any more.
    func abandon() {
        if result == nil { finish(.failure(.killed(SIGKILL))) }
    }

    /// Whether its process has gone: until then the kernel keeps a place for it that somebody has to clear. One that has changed its user
    /// (sudo) cannot be killed, and may take its time.
    var hasGone: Bool { isReaped || takeStatus() != nil }

    // MARK: Steps

    /// The exit code, or minus the signal that ended it; nil while it runs, and once it has been told.
    private func takeStatus() -> Int32? {
        guard !isReaped else { return nil }
        var status: Int32 = 0
        let ended = unsafe waitpid(id, &status, WNOHANG)
        guard ended == id else { return nil }
        isReaped = true
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : -signal
    }

    private func write() {
        while input >= 0 {
            let count = unsafe program.input.withUnsafeBytes { bytes in
                unsafe Glibc.write(input, bytes.baseAddress.unsafelyUnwrapped + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            // A program that does not read its input to the end is free not to.
            written += max(count, 0)
            if count < 0 || written == program.input.count { closeInput() }
        }
    }

    private func read(_ descriptor: inout Int32, keeps: Bool) {
        while descriptor >= 0 {
            let count = unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
                let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    if keeps { unsafe keep(UnsafeRawBufferPointer(rebasing: buffer[..<count])) } else { errorBytes += count }
                }
                unsafe Memory.cleanse(buffer)
                return count
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            if count <= 0 {
                close(descriptor)
                descriptor = -1
                return
            }
            lastSign = .now
            if received.count + errorBytes > program.outputLimit { return }
        }
    }

    /// Grows by hand, so that the smaller copy is wiped.
    private func keep(_ bytes: UnsafeRawBufferPointer) {
        if received.count + bytes.count > received.capacity {
            var larger: [UInt8] = []
            larger.reserveCapacity(2 * (received.count + bytes.count))
            larger += received
            Memory.cleanse(&received)
            received = larger
        }
        unsafe received.append(contentsOf: bytes)
    }

    private func finish(_ result: Result<[UInt8], ProgramFailure>) {
        self.result = result
        kill()
    }

    /// Ends the program and all that it has started and that has not left its group.
    private func kill() { _ = Glibc.kill(-id, SIGKILL) }

    private func closeInput() {
        close(input)
        input = -1
    }

    // MARK: The start

    private static func spawn(_ program: Program, _ environment: [String], _ pipes: borrowing Pipes) throws(ProgramFailure) -> pid_t {
        var start = ProcessStart()
        for (number, end) in pipes.theirs.enumerated() { start.pass(end, as: Int32(number)) }
        start.close(from: 3)
        start.enter(program.directory)
        start.heedAllSignals()
        start.leaveGroup()
        do {
            return try start.run(program.path, [program.path] + program.arguments, environment: environment)
        } catch {
            throw .notStarted(error.code)
        }
    }
}

/// The three pipes of a program, all ends close-on-exec; what has not been taken over is closed with it.
private struct Pipes: ~Copyable {
    /// What the program gets as 0, 1 and 2.
    let theirs: [Int32]
    private var ours: [Int32]

    init() throws(ProgramFailure) {
        var (theirs, ours): ([Int32], [Int32]) = ([], [])
        for index in 0..<3 {
            var pair: [Int32] = [-1, -1]
            guard unsafe kb_pipe(&pair) == 0 else {
                for descriptor in theirs + ours { close(descriptor) }
                throw .notStarted(errno)
            }
            theirs.append(pair[index == 0 ? 0 : 1])
            ours.append(pair[index == 0 ? 1 : 0])
        }
        for descriptor in ours { _ = kb_set_blocking(descriptor, 0) }
        (self.theirs, self.ours) = (theirs, ours)
    }

    /// Ours, to be closed by the caller.
    consuming func takeOurs() -> (input: Int32, output: Int32, errors: Int32) {
        let taken = (ours[0], ours[1], ours[2])
        ours = []
        return taken
    }

    deinit { for descriptor in theirs + ours { close(descriptor) } }
}
