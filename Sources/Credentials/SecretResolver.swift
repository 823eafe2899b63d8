import Digest
import Files
import Glibc
import JSON

/// Resolves the references of one store, each on its own: one that leads nowhere hurts no other profile. Nothing is looked at, the
/// settings included, before the first reference asks for it. No program is run here: what one has said is known, or it is not yet.
struct SecretResolver {
    /// How many references one alias may have.
    static let referenceLimit = 512

    private let places: () -> SecretPlaces
    private let environment: (String) -> String?
    private let programs: SecretPrograms?
    private var loaded: SecretPlaces?
    private var counts: [String: Int] = [:]
    private var files: [String: Result<[UInt8], UnresolvedReference>] = [:]

    /// A resolver by the settings' places.
    init(
        places: @escaping () -> SecretPlaces, environment: @escaping (String) -> String? = Self.variable, programs: SecretPrograms? = nil
    ) {
        self.places = places
        self.environment = environment
        self.programs = programs
    }

    /// The secret that the first reference of `references` that leads to one leads to.
    mutating func resolve(_ references: [SecretReference]) throws(UnresolvedReference) -> Secret {
        var failure = UnresolvedReference("is no reference that can be understood")
        for reference in references {
            // Of several that fail, one that a program may still answer is what there is to do.
            do throws(UnresolvedReference) { return try resolve(reference) } catch {
                if error.awaitsProgram || !failure.awaitsProgram { failure = error }
            }
        }
        throw failure
    }

    /// The programs among what `references` lead to.
    mutating func programs(of references: [SecretReference]) -> [SecretPrograms.Key] {
        var keys: [SecretPrograms.Key] = []
        for reference in references where reference.source == .exec {
            do throws(UnresolvedReference) { keys.append(try key(reference)) } catch {}
        }
        return keys
    }

    private mutating func resolve(_ reference: SecretReference) throws(UnresolvedReference) -> Secret {
        if reference.source == .exec { return try said(reference) }
        let (_, place) = try place(of: reference)
        let text =
            switch place {
            case .env(let allowlist): try variable(reference.id, allowlist)
            case .file(let file): try member(reference.id, file)
            case _ where reference.source == .env: try variable(reference.id, nil)
            default: throw Self.nowhere
            }
        guard let secret = Secret(text) else {
            throw UnresolvedReference("leads to an empty text, or one with a byte that cannot be sent in a header")
        }
        return secret
    }

    /// The alias and what the settings say of it; nil when they are silent.
    private mutating func place(of reference: SecretReference) throws(UnresolvedReference) -> (alias: String, place: SecretPlace?) {
        let places = loaded ?? self.places()
        loaded = places
        let alias = reference.provider ?? places.defaults[reference.source.rawValue] ?? "default"
        let count = counts[alias, default: 0]
        guard count < Self.referenceLimit else { throw UnresolvedReference("is more than reference \(Self.referenceLimit) to one place") }
        counts[alias] = count + 1
        let place = places.places[alias]
        if case .unusable(let reason) = place { throw UnresolvedReference(reason) }
        if let source = place?.source, source != reference.source {
            throw UnresolvedReference("names a place that the settings describe as another kind")
        }
        return (alias, place)
    }

    private static let nowhere = UnresolvedReference("names a place that the settings do not describe")

    // MARK: Programs

    private mutating func said(_ reference: SecretReference) throws(UnresolvedReference) -> Secret {
        let key = try key(reference)
        switch programs?.answer(to: key) {
        case .success(let secret): return secret
        case .failure(let failure): throw UnresolvedReference(failure.reason, awaitsProgram: true)
        case nil: throw UnresolvedReference("leads to a program that has not been asked yet", awaitsProgram: programs != nil, isNew: true)
        }
    }

    private mutating func key(_ reference: SecretReference) throws(UnresolvedReference) -> SecretPrograms.Key {
        let (alias, place) = try place(of: reference)
        guard case .exec(let command) = place else { throw Self.nowhere }
        return SecretPrograms.Key(alias: alias, command: command, id: reference.id)
    }

    // MARK: The environment

    private func variable(_ name: String, _ allowlist: [String]?) throws(UnresolvedReference) -> String {
        guard SecretReference.isVariable(name) else { throw UnresolvedReference("names no variable") }
        if let allowlist, !allowlist.contains(name) {
            throw UnresolvedReference("names the variable \(name), which the settings' allowlist does not")
        }
        guard let value = environment(name), !value.isEmpty else {
            throw UnresolvedReference("names the variable \(name), which is not set")
        }
        return value
    }

    // MARK: Files

    private mutating func member(_ id: String, _ file: SecretFile) throws(UnresolvedReference) -> String {
        let path = file.path
        var bytes = try content(path, limit: file.maxBytes)
        defer { Memory.cleanse(&bytes) }
        if file.isSingleValue {
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

    /// The process's own environment.
    static let variable: @Sendable (String) -> String? = { name in
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
                profiles[place] = profile.referring(awaitsProgram: error.awaitsProgram)
                // A program that has not been asked yet is no problem.
                if error.awaitsProgram, error.isNew { continue }
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
