import Digest
import Files
import Glibc
import JSON

/// Resolves the references of one store, each on its own: one that leads nowhere hurts no other profile. Nothing is looked at, the
/// neighbour's settings included, before the first reference asks for it.
struct SecretResolver {
    /// How many references one alias may have.
    static let referenceLimit = 512
    private static let fileLimit: Int64 = 1 << 20

    private let settings: () -> Value?
    private let environment: (String) -> String?
    private var loaded: Value??
    private var counts: [String: Int] = [:]
    private var files: [String: Result<[UInt8], UnresolvedReference>] = [:]

    /// A resolver by the neighbour's `settings`, of which `secrets` counts.
    init(settings: @escaping () -> Value?, environment: @escaping (String) -> String? = Self.variable) {
        self.settings = settings
        self.environment = environment
    }

    /// The secret that the first reference of `references` that leads to one leads to.
    mutating func resolve(_ references: [SecretReference]) throws(UnresolvedReference) -> Secret {
        var failure = UnresolvedReference("is no reference that can be understood")
        for reference in references {
            do throws(UnresolvedReference) { return try resolve(reference) } catch { failure = error }
        }
        throw failure
    }

    private mutating func resolve(_ reference: SecretReference) throws(UnresolvedReference) -> Secret {
        let secrets = self.secrets
        let alias = reference.provider ?? secrets?["defaults"]?[reference.source.rawValue]?.string ?? "default"
        let count = counts[alias, default: 0]
        guard count < Self.referenceLimit else { throw UnresolvedReference("is more than reference \(Self.referenceLimit) to one place") }
        counts[alias] = count + 1
        let provider = secrets?["providers"]?[alias]
        if let source = provider?["source"]?.string, source != reference.source.rawValue {
            throw UnresolvedReference("names a place that the settings describe as another kind")
        }
        let text =
            switch reference.source {
            case .env: try variable(reference.id, provider)
            case .file: try member(reference.id, provider)
            case .exec: throw UnresolvedReference("is a program's output, which is not supported")
            }
        guard let secret = Secret(text) else {
            throw UnresolvedReference("leads to an empty text, or one with a byte that cannot be sent in a header")
        }
        return secret
    }

    // MARK: The environment

    private func variable(_ name: String, _ provider: Value?) throws(UnresolvedReference) -> String {
        guard SecretReference.isVariable(name) else { throw UnresolvedReference("names no variable") }
        if let allowed = provider?["allowlist"]?.array, !allowed.contains(where: { $0.string == name }) {
            throw UnresolvedReference("names the variable \(name), which the settings' allowlist does not")
        }
        guard let value = environment(name), !value.isEmpty else {
            throw UnresolvedReference("names the variable \(name), which is not set")
        }
        return value
    }

    // MARK: Files

    private mutating func member(_ id: String, _ provider: Value?) throws(UnresolvedReference) -> String {
        guard let path = provider?["path"]?.string, path.hasPrefix("/") else {
            throw UnresolvedReference("names a file that the settings do not describe with an absolute path")
        }
        var bytes = try content(path, limit: Int(min(max(provider?["maxBytes"]?.int64 ?? Self.fileLimit, 1), Self.fileLimit)))
        defer { Memory.cleanse(&bytes) }
        if provider?["mode"]?.string == "singleValue" {
            return String(Substring(decoding: bytes, as: UTF8.self).trimmingWhitespace())
        }
        guard let root = try? Reader.parse(bytes) else { throw UnresolvedReference("names \(path), which is no JSON") }
        guard let text = Self.value(at: id, in: root)?.string else {
            throw UnresolvedReference("names a text in \(path) that is not there")
        }
        return text
    }

    /// Each file once: it is the same for all its references.
    private mutating func content(_ path: String, limit: Int) throws(UnresolvedReference) -> [UInt8] {
        if let known = files[path] { return try known.get() }
        let result: Result<[UInt8], UnresolvedReference>
        do throws(FileError) {
            // Owner and mode are checked, links followed, and a FIFO blocks nobody.
            let bytes = try TrustedFile.read(path, limit: limit)
            result = bytes.map { .success($0) } ?? .failure(UnresolvedReference("names \(path), which does not exist"))
        } catch {
            result = .failure(UnresolvedReference("cannot be followed: \(error.description)"))
        }
        files[path] = result
        return try result.get()
    }

    /// What a JSON pointer (RFC 6901) leads to.
    static func value(at pointer: String, in root: Value) -> Value? {
        guard pointer.isEmpty || pointer.hasPrefix("/") else { return nil }
        var value = root
        for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
            switch value {
            case .object(let object):
                guard let next = object[String(name)] else { return nil }
                value = next
            case .array(let elements):
                guard let index = Int(name), elements.indices.contains(index), String(index) == name else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    private var secrets: Value? {
        mutating get {
            if let loaded { return loaded }
            let value = settings()?["secrets"]
            loaded = .some(value)
            return value
        }
    }

    private static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}

extension StoreDocument {
    /// The profiles with what their references lead to, and the problems with a reason for each that leads nowhere.
    func resolving(
        _ read: (profiles: [Profile], problems: [StoreProblem]), with resolver: inout SecretResolver
    ) -> (profiles: [Profile], problems: [StoreProblem]) {
        guard read.profiles.contains(where: \.hasUnresolvedReference) else { return read }
        var profiles = read.profiles
        var problems = read.problems.filter { $0.code != .unresolvedReference }
        for (place, profile) in profiles.enumerated() where profile.hasUnresolvedReference {
            do throws(UnresolvedReference) {
                let secret = try resolver.resolve(SecretReference.all(in: entry(profile.id) ?? [:], kind: profile.kind))
                profiles[place] = profile.resolved(secret)
            } catch {
                problems.append(
                    StoreProblem(
                        profileID: profile.id, code: .unresolvedReference,
                        message: "The reference of profile \(ProfileEntry.printable(profile.id)) \(error.reason); the profile is not used.")
                )
            }
        }
        return (profiles, problems)
    }
}
