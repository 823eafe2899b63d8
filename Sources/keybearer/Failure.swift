internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Files
internal import Glibc
internal import OAuth
internal import Proxy
internal import Sandbox
internal import Sockets

/// Why a command ends without having done its work: text for people, one line a flaw, and the exit code (DESIGN §9).
struct Failure: Error, CustomStringConvertible {
    /// What went wrong and what to do.
    let description: String
    let code: Int32

    /// What was asked for could not be done.
    static func failed(_ message: String) -> Failure { Failure(description: message, code: 1) }
    /// The command line asks for something that cannot be (EX_USAGE).
    static func usage(_ message: String) -> Failure { Failure(description: message, code: 64) }
    /// A server that runs does not answer (EX_UNAVAILABLE).
    static func unreachable(_ message: String) -> Failure { Failure(description: message, code: 69) }
    /// The settings, or the surroundings they depend on, are wrong (EX_CONFIG).
    static func configuration(_ message: String) -> Failure { Failure(description: message, code: 78) }

    /// A module's error as a command's.
    init?(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as SettingsError where error.isFlags: self = .usage(error.description)
        case let error as SettingsError: self = .configuration(error.description)
        case let error as StoreError: self = .failed(error.description)
        case let error as ClientBookError: self = .failed(error.description)
        case let error as FileError: self = .failed(error.description)
        case let error as SocketError: self = .failed(error.description)
        case let error as StartError: self = .failed(error.description)
        case let error as SandboxError: self = .failed(error.description)
        case let error as LoginFailure: self = .failed(error.description)
        default: return nil
        }
    }

    private init(description: String, code: Int32) {
        self.description = description
        self.code = code
    }

    /// Tells a person on standard error and ends the process.
    static func exit(with error: any Error) -> Never {
        if let failure = Failure(error) {
            Output.error("keybearer: \(failure.description)")
            Glibc.exit(failure.code)
        }
        // --help, --version and completion scripts are "errors" to the library, and so is a plain exit code.
        guard Keybearer.exitCode(for: error) == .validationFailure else { Keybearer.exit(withError: error) }
        let wrong = WrongUse(
            message: Keybearer.message(for: error), fullMessage: Keybearer.fullMessage(for: error),
            words: Array(CommandLine.arguments.dropFirst()))
        Output.error("keybearer: \(wrong.text)")
        Glibc.exit(ExitCode.validationFailure.rawValue)
    }
}
