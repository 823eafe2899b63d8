internal import Digest

/// How a program and what became of it are written on the socket between a process and its runner: both are this executable, so
/// the form is ours alone. Numbers are eight octets, little-endian; texts and bytes have their length before them.
enum Wire {
    /// The length that goes before a message.
    static let headerSize = 8
    /// More than any request of ours: arguments, environment and 256 KiB of input.
    static let limit = 4 << 20

    /// What is wished for.
    enum Wish {
        /// With its environment as `NAME=value`.
        case program(Program, environment: [String])
        case question([UInt8])
    }

    static func write(question: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        append(1, to: &body)
        append(bytes: question, to: &body)
        return message(body)
    }

    static func write(_ program: Program) -> [UInt8] {
        var body: [UInt8] = []
        append(0, to: &body)
        append(program.path, to: &body)
        append(program.directory, to: &body)
        append(program.arguments.count, to: &body)
        for argument in program.arguments { append(argument, to: &body) }
        append(program.environment.count, to: &body)
        for (name, value) in program.environment { append("\(name)=\(value)", to: &body) }
        for number in [milliseconds(program.timeout), milliseconds(program.silence), program.outputLimit] { append(number, to: &body) }
        append(bytes: program.input, to: &body)
        defer { Memory.cleanse(&body) }
        return message(body)
    }

    /// The wish in a message's body; nil when it is none.
    static func wish(_ body: ArraySlice<UInt8>) -> Wish? {
        var rest = body
        switch number(&rest) {
        case 0: return program(rest)
        case 1:
            guard let question = bytes(&rest), rest.isEmpty else { return nil }
            return .question(Array(question))
        default: return nil
        }
    }

    private static func program(_ body: ArraySlice<UInt8>) -> Wish? {
        var rest = body
        guard let path = text(&rest), let directory = text(&rest), let arguments = texts(&rest), let environment = texts(&rest),
            let timeout = number(&rest), let silence = number(&rest), let limit = number(&rest), let input = bytes(&rest), rest.isEmpty
        else { return nil }
        let program = Program(
            path, arguments, directory: directory, input: Array(input), timeout: .milliseconds(timeout), silence: .milliseconds(silence),
            outputLimit: limit)
        return .program(program, environment: environment)
    }

    static func write(_ result: Result<[UInt8], ProgramFailure>) -> [UInt8] {
        var body: [UInt8] = []
        defer { Memory.cleanse(&body) }
        switch result {
        case .success(let output):
            body.reserveCapacity(3 * 8 + output.count)
            append(0, to: &body)
            append(0, to: &body)
            append(bytes: output, to: &body)
        case .failure(let failure):
            let (kind, detail) = code(of: failure)
            append(kind, to: &body)
            append(Int(detail), to: &body)
            append(bytes: [], to: &body)
        }
        return message(body)
    }

    /// What became of a program, by a message's body.
    static func result(_ body: ArraySlice<UInt8>) -> Result<[UInt8], ProgramFailure> {
        var rest = body
        guard let kind = number(&rest), let detail = number(&rest).flatMap(Int32.init(exactly:)), let output = bytes(&rest) else {
            return .failure(.noRunner)
        }
        return kind == 0 ? .success(Array(output)) : .failure(failure(kind, detail))
    }

    /// The length in a message's first octets; nil while they are not all there, or when nobody would send so much.
    static func length(_ header: some Collection<UInt8>) -> Int? {
        guard header.count >= headerSize else { return nil }
        let value = header.prefix(headerSize).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return value <= UInt64(limit) ? Int(value) : nil
    }

    // MARK: Parts

    private static func message(_ body: [UInt8]) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(headerSize + body.count)
        append(body.count, to: &message)
        message += body
        return message
    }

    private static func append(_ number: Int, to body: inout [UInt8]) {
        for shift in stride(from: 0, to: 64, by: 8) { body.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    private static func append(_ text: String, to body: inout [UInt8]) { append(bytes: Array(text.utf8), to: &body) }

    private static func append(bytes: [UInt8], to body: inout [UInt8]) {
        append(bytes.count, to: &body)
        body += bytes
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return Int(truncatingIfNeeded: rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private static func bytes(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let count = number(&rest), count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> String? { bytes(&rest).map { String(decoding: $0, as: UTF8.self) } }

    private static func texts(_ rest: inout ArraySlice<UInt8>) -> [String]? {
        guard let count = number(&rest), count >= 0, count <= rest.count else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = text(&rest) else { return nil }
            texts.append(text)
        }
        return texts
    }

    private static func code(of failure: ProgramFailure) -> (kind: Int, detail: Int32) {
        switch failure {
        case .notStarted(let code): (1, code)
        case .exited(let code): (2, code)
        case .killed(let signal): (3, signal)
        case .timedOut: (4, 0)
        case .silent: (5, 0)
        case .tooMuchOutput: (6, 0)
        case .noRunner: (7, 0)
        }
    }

    private static func failure(_ kind: Int, _ detail: Int32) -> ProgramFailure {
        switch kind {
        case 1: .notStarted(detail)
        case 2: .exited(detail)
        case 3: .killed(detail)
        case 4: .timedOut
        case 5: .silent
        case 6: .tooMuchOutput
        default: .noRunner
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(clamping: seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
