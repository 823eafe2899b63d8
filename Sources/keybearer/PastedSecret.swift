internal import Configuration
internal import Credentials
internal import Digest
internal import Glibc

/// A key or token as a person hands it over: by standard input or a hidden prompt, never on the command line, where `ps` shows it.
enum PastedSecret {
    /// Longer than any credential there is.
    static let limit = 64 << 10

    /// Asks when standard input is a terminal, else reads it to its end.
    ///
    /// - Parameter what: what is asked for, e.g. `API key for openai`.
    static func read(_ what: String) throws -> Secret {
        var bytes = isatty(STDIN_FILENO) != 0 ? try HiddenPrompt.ask("\(what) (not shown): ") : try readAll()
        defer { Memory.cleanse(&bytes) }
        let core = core(of: bytes[...])
        guard !core.isEmpty else { throw Failure.usage("there is no \(what) on standard input") }
        guard let secret = Secret(bytes: core) else {
            throw Failure.usage("this is no \(what): a credential is one word of visible ASCII characters")
        }
        return secret
    }

    /// The credential in what was pasted: without white space around it, and out of `export NAME="…";`, in which form keys are handed about.
    static func core(of pasted: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = trimmed(pasted)
        let export = Array("export ".utf8)
        if text.starts(with: export) { text = trimmed(text.dropFirst(export.count)) }
        if let equals = text.firstIndex(of: UInt8(ascii: "=")), isVariableName(text[..<equals]) {
            text = text[text.index(after: equals)...]
            if text.last == UInt8(ascii: ";") { text = trimmed(text.dropLast()) }
        }
        if text.count > 1, let quote = text.first, text.last == quote, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            text = text.dropFirst().dropLast()
        }
        return text
    }

    /// What a person may have got wrong about `secret`; nil when its shape says nothing. Never quotes it.
    static func doubt(_ secret: Secret, as kind: Profile.Kind, for provider: Provider) -> String? {
        let text = secret.revealed
        if kind == .apiKey, let mark = provider.bearerWhenKeyContains, text.contains(mark) {
            return "this looks like a token and not like an API key; it will be sent as a bearer token. `paste-token` is its command."
        }
        if kind == .apiKey, !provider.apiKey.fits(text) {
            return "this does not look like a key of \(provider.id); perhaps something else was copied, or not all of it."
        }
        guard kind == .token, let rules = provider.setupToken else { return nil }
        if !text.hasPrefix(rules.prefix) {
            let origin = rules.program.isEmpty ? "" : ", as `\(rules.program.joined(separator: " "))` prints it"
            return "this does not look like a setup-token (\(rules.prefix)…)\(origin)."
        }
        return secret.count < rules.minLength ? "this is shorter than a setup-token; perhaps its end was not copied." : nil
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) }) else { return [] }
        return bytes[first...last]
    }

    /// Capitals, digits and underscores, which is how such variables are called: base64 padding must not be taken for an assignment.
    private static func isVariableName(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.contains(UInt8(ascii: "_"))
            && bytes.allSatisfy {
                (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
            }
    }

    private static func readAll() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(STDIN_FILENO, $0.baseAddress! + count, $0.count - count) }
            if got == 0 { break }
            if got > 0 { count += got } else if errno != EINTR { throw Failure.failed("cannot read standard input") }
        }
        guard count <= limit else {
            Memory.cleanse(&bytes)
            throw Failure.usage("standard input holds more than a credential")
        }
        defer { Memory.cleanse(&bytes) }
        return Array(bytes[..<count])
    }
}
