internal import ArgumentParser
internal import Glibc
internal import Sockets
internal import TLS

/// Why a command ends without having done its work, in one line.
struct BenchFailure: Error, CustomStringConvertible {
    /// What went wrong and what to do.
    let description: String
    let code: Int32

    /// What was asked for could not be done.
    static func failed(_ message: String) -> BenchFailure { BenchFailure(description: message, code: 1) }
    /// The command line asks for something that cannot be (EX_USAGE).
    static func usage(_ message: String) -> BenchFailure { BenchFailure(description: message, code: 64) }

    /// Tells a person on standard error and ends the process.
    static func exit(with error: any Error) -> Never {
        switch error {
        case let failure as BenchFailure: exit(failure.description, failure.code)
        case let error as SocketError: exit(error.description, 1)
        case let error as TLSError: exit(error.description, 1)
        case let error as CertificateError: exit(error.description, 1)
        default: break
        }
        // --help and --version are "errors" to the library, and so is a plain exit code.
        guard BenchCommand.exitCode(for: error) == .validationFailure else { BenchCommand.exit(withError: error) }
        exit(BenchCommand.message(for: error), ExitCode.validationFailure.rawValue)
    }

    private static func exit(_ text: String, _ code: Int32) -> Never {
        Console.error("keybearer-bench: \(text)")
        Glibc.exit(code)
    }
}
