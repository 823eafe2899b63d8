/// A program to be run: which one, with what, and how much of it is borne. It goes to the runner process as it is, so that nothing of it
/// stands in an argument or an environment other than the program's own.
public struct Program: Sendable, Equatable {
    /// The file, absolute. Whoever asks has checked that it may be trusted (`TrustedProgram`).
    public var path: String
    /// After the program's own name.
    public var arguments: [String]
    /// All of its environment: nothing of ours is added.
    public var environment: [String: String]
    /// The folder that it runs in.
    public var directory: String
    /// What it reads on standard input.
    public var input: [UInt8]
    /// How long it may take in all.
    public var timeout: Duration
    /// How long it may say nothing, on either output.
    public var silence: Duration
    /// How many bytes both of its outputs may have.
    public var outputLimit: Int

    /// A program with the limits of a secret reference (spec/credential-formats.md §1.8), run in its own folder.
    public init(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:], directory: String? = nil, input: [UInt8] = [],
        timeout: Duration = .seconds(5), silence: Duration = .seconds(2), outputLimit: Int = 1 << 20
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.directory = directory ?? path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? "/"
        self.input = input
        self.timeout = timeout
        self.silence = silence
        self.outputLimit = outputLimit
    }
}

/// Why a program has no output to use. No text of the program is in it: that may hold a secret.
public enum ProgramFailure: Error, Sendable, Equatable {
    /// The system would not start it; its error number.
    case notStarted(Int32)
    /// It ended with this code, other than 0.
    case exited(Int32)
    /// A signal ended it that was not ours.
    case killed(Int32)
    /// It took longer than it may.
    case timedOut
    /// It said nothing for longer than it may.
    case silent
    /// It said more than it may.
    case tooMuchOutput
    /// The runner process is not there, or went away meanwhile.
    case noRunner
}

extension ProgramFailure: CustomStringConvertible {
    /// The end of a sentence that begins with the program.
    public var description: String {
        switch self {
        case .notStarted(let code): "could not be started (errno \(code))"
        case .exited(let code): "ended with code \(code)"
        case .killed(let signal): "was ended by signal \(signal)"
        case .timedOut: "did not end in time and was ended"
        case .silent: "said nothing for too long and was ended"
        case .tooMuchOutput: "said more than is allowed and was ended"
        case .noRunner: "was not started, because the process that starts programs has gone; restart Keybearer"
        }
    }
}
