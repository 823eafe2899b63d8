import Children
import Digest
import Files
import JSON

/// A program that says a token which requests carry for a while (`gcloud`, `az`, `op`, `pass`): facts from a provider's data.
public struct CredentialProgram: Sendable, Hashable {
    /// What it says.
    public enum Output: String, Sendable, CaseIterable {
        /// A JSON object with the token and its end.
        case json
        /// The token, and nothing else but white space.
        case text
    }

    /// An absolute path, or a name that is looked for in PATH.
    public var command: String
    /// Its arguments. They can be seen by every user of the machine: no secret.
    public var args: [String] = []
    /// Variables that it gets beside HOME, PATH and LANG.
    public var passEnv: [String] = []
    /// Variables that it gets as they are written here.
    public var env: [String: String] = [:]
    /// How long it may take.
    public var timeout = Duration.seconds(30)
    /// How much it may say.
    public var maxOutputBytes = 64 << 10
    /// What it says.
    public var output = Output.json
    /// The members that lead to the token.
    public var tokenPath = ["token"]
    /// The members that lead to its end, in any form (``ExpiryForm/any``).
    public var expiryPath = ["expires_at"]
    /// How long a token is taken to live that does not say its end.
    public var life = Duration.seconds(3600)

    /// A program with the limits that hold where none are given.
    public init(command: String) { self.command = command }

    /// Names that every program gets, so that it finds its own settings.
    static let usualVariables = ["HOME", "PATH", "LANG"]

    /// The program as it is run, once its file has been found and may be trusted. A name is looked for as a shell would, and may be a link
    /// there: package managers make them.
    func program(_ environment: (String) -> String?) throws(FileError) -> Program {
        let isName = !command.contains("/")
        let path = isName ? TrustedProgram.find(command, path: environment("PATH")) ?? "/usr/bin/\(command)" : command
        var variables = env
        for name in Self.usualVariables + passEnv where variables[name] == nil { variables[name] = environment(name) }
        return Program(
            try TrustedProgram.check(path, TrustedProgram.Rules(allowsLink: isName)), args, environment: variables,
            timeout: timeout, silence: timeout, outputLimit: maxOutputBytes)
    }

    /// The token in what it said; nil when there is none. `now`: ms since 1970.
    func token(in said: [UInt8], now: Int64) -> MintedToken? {
        let (text, end): (String?, Value?)
        switch output {
        case .text:
            let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
            let core = said.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
            (text, end) = (String(validating: core, as: UTF8.self), nil)
        case .json:
            guard let root = try? Reader.parse(said) else { return nil }
            (text, end) = (root.member(at: tokenPath)?.string, root.member(at: expiryPath))
        }
        guard let secret = text.flatMap({ Secret($0) }) else { return nil }
        let told = ExpiryForm.any.end(end, now: now) ?? AccessTokenClaims(secret)?.expiry
        let (seconds, _) = life.components
        return MintedToken(secret: secret, expires: told ?? now + seconds * 1000)
    }
}

extension SecretPrograms {
    /// What `program` says now. Blocks for as long as it may take. The failure is the end of a sentence, without a word of the program's.
    public func token(from program: CredentialProgram, now: Int64) -> Result<MintedToken, ProgramAnswerFailure> {
        let ready: Program
        do throws(FileError) {
            ready = try program.program(environment)
        } catch {
            return .failure(ProgramAnswerFailure("\(program.command) is not run: \(error.description)"))
        }
        switch run([ready])[0] {
        case .failure(let failure): return .failure(ProgramAnswerFailure("\(program.command) \(failure)"))
        case .success(var said):
            defer { Memory.cleanse(&said) }
            guard let token = program.token(in: said, now: now) else {
                let place = program.output == .json ? " at \(program.tokenPath.joined(separator: "."))" : ""
                return .failure(ProgramAnswerFailure("\(program.command) said no token\(place)"))
            }
            guard token.expires > now else { return .failure(ProgramAnswerFailure("\(program.command) said a token that has ended")) }
            return .success(token)
        }
    }
}

/// Why a program gave no token: a sentence without its full stop.
public struct ProgramAnswerFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
