internal import CLinux
internal import Digest
internal import Glibc

/// The process that starts programs for another one (DESIGN §4): started before that one has any thread, with an empty environment and
/// no descriptor but a socket. Over it come further sockets, one a program; each carries a ``Program`` here and the result back. When a
/// client closes its end, its program is killed; when the first socket closes, all are, and the runner ends.
///
/// It also answers questions: what a process that has confined itself may not look at any more, the runner still may.
public struct RunnerProcess: ~Copyable {
    private let control: Int32
    private let answer: Answer
    private var jobs: [Job] = []
    /// Programs whose result has been told, and whose processes have not gone yet.
    private var ending: [RunningProgram] = []

    /// The name under which the runner is started, for `ps`.
    static let name = "keybearer-runner"
    /// Where it finds its socket.
    static let descriptor: Int32 = 3
    /// More clients than that wait.
    private static let jobLimit = 64

    /// Answers a question, at once: programs wait meanwhile.
    public typealias Answer = ([UInt8]) -> [UInt8]

    /// Becomes the runner if this process was started as one, and then does not return.
    public static func serveIfAsked(_ arguments: [String], answering answer: @escaping Answer) {
        guard arguments == [name] else { return }
        // Secrets pass through it: no core dumps, no debugger, for it and (the former) for what it starts.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = kb_forbid_dumps()
        _ = signal(SIGPIPE, SIG_IGN)
        // Its owner ends it by closing the socket, after it has done its work: what ends the owner is for that to hear.
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { _ = signal(number, SIG_IGN) }
        var runner = RunnerProcess(control: descriptor, answering: answer)
        runner.run()
        _exit(0)
    }

    /// A runner for who holds the other end of `control`. SIGPIPE must not end the thread that runs it.
    init(control: Int32, answering answer: @escaping Answer = { _ in [] }) {
        self.control = control
        self.answer = answer
    }

    /// Runs until the other end of the socket is closed, and then kills what still runs.
    mutating func run() {
        defer { end() }
        while true {
            wait()
            if jobs.count < Self.jobLimit {
                let accepted = kb_receive_descriptor(control)
                if accepted >= 0 { jobs.append(Job(accepted, answer)) } else if errno != EAGAIN { return }
            }
            for job in jobs { job.proceed() }
            ending += jobs.filter(\.isOver).compactMap(\.program)
            jobs.removeAll(where: \.isOver)
            ending.removeAll(where: \.hasGone)
        }
    }

    /// Kills what still runs, and clears what the kernel keeps of it: at most a second is spent on that.
    private mutating func end() {
        for job in jobs { job.program?.abandon() }
        ending += jobs.compactMap(\.program)
        jobs = []
        for _ in 0..<100 {
            ending.removeAll(where: \.hasGone)
            if ending.isEmpty { return }
            usleep(10_000)
        }
    }

    /// Sleeps until something can be done.
    private func wait() {
        var list = jobs.flatMap(\.interests)
        if jobs.count < Self.jobLimit { list.append(pollfd(fd: control, events: Int16(POLLIN), revents: 0)) }
        let next = (jobs.compactMap(\.nextLook) + ending.prefix(1).map { _ in .now + .milliseconds(50) }).min()
        let left = next.map { max(0, Int32(clamping: Int64(($0 - .now) / .milliseconds(1)) + 1)) } ?? -1
        unsafe _ = poll(&list, nfds_t(list.count), left)
    }
}

/// One client's wish: read, run, answered.
private final class Job {
    private enum Stage {
        case reading
        case running
        case answering(written: Int)
        case over
    }

    private let socket: Int32
    private let respond: RunnerProcess.Answer
    private var stage = Stage.reading
    /// Once it has been started.
    private(set) var program: RunningProgram?
    /// What has been read, then what is to be written; both may hold secrets.
    private var buffer: [UInt8] = []

    init(_ socket: Int32, _ respond: @escaping RunnerProcess.Answer) {
        self.socket = socket
        self.respond = respond
        _ = kb_set_blocking(socket, 0)
    }

    deinit {
        close(socket)
        Memory.cleanse(&buffer)
    }

    var isOver: Bool { if case .over = stage { true } else { false } }

    var interests: [pollfd] {
        switch stage {
        case .reading: [pollfd(fd: socket, events: Int16(POLLIN), revents: 0)]
        case .running: (program?.interests ?? []) + [pollfd(fd: socket, events: Int16(POLLIN), revents: 0)]
        case .answering: [pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)]
        case .over: []
        }
    }

    var nextLook: ContinuousClock.Instant? { if case .running = stage { program?.nextLook } else { nil } }

    func proceed() {
        if case .reading = stage { read() }
        if case .running = stage, let program {
            guard !clientHasLeft else {
                program.abandon()
                return stage = .over
            }
            program.proceed()
            if let result = program.result { answer(result) }
        }
        if case .answering(let written) = stage { write(from: written) }
    }

    private func read() {
        while true {
            let count = unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { bytes in
                let count = unsafe Glibc.read(socket, bytes.baseAddress, bytes.count)
                if count > 0 { unsafe buffer.append(contentsOf: bytes[..<count]) }
                unsafe Memory.cleanse(bytes)
                return count
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0, buffer.count < Wire.headerSize || Wire.length(buffer) != nil else { return stage = .over }
            if let length = Wire.length(buffer), buffer.count >= Wire.headerSize + length { return start(length) }
        }
    }

    private func start(_ length: Int) {
        let wish = Wire.wish(buffer[Wire.headerSize..<Wire.headerSize + length])
        Memory.cleanse(&buffer)
        switch wish {
        case .program(let program, let environment):
            do throws(ProgramFailure) {
                self.program = try RunningProgram(program, environment: environment)
                stage = .running
            } catch {
                answer(.failure(error))
            }
        case .question(let question): answer(.success(respond(question)))
        case nil: stage = .over
        }
    }

    private func answer(_ result: Result<[UInt8], ProgramFailure>) {
        buffer = Wire.write(result)
        stage = .answering(written: 0)
    }

    private func write(from start: Int) {
        var written = start
        while written < buffer.count {
            let count = unsafe buffer.withUnsafeBytes { bytes in
                unsafe kb_send(socket, bytes.baseAddress.unsafelyUnwrapped + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return stage = .answering(written: written) }
            guard count > 0 else { break }
            written += count
        }
        stage = .over
    }

    /// Whoever waits for a result sends nothing more: what can be read is the end.
    private var clientHasLeft: Bool {
        var byte: UInt8 = 0
        let count = unsafe recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count >= 0 || errno != EAGAIN && errno != EINTR
    }
}
