import Files
import Glibc
import JSON

/// A profile that is another program's login, read from that program's file whenever it changes. That program alone renews it: Keybearer
/// holds no part of it, never spends its refresh token, and never writes its file.
///
/// In the store it is an entry of kind `token` (or `api_key`) without a secret, and the member `overlay`:
/// `{"type":"token","provider":"openai-codex","overlay":{"tool":"codex","path":"/home/me/.codex/auth.json"}}`. To Moltbot and OpenClaw
/// that is a token that is missing: one they pass over and never refresh (spec/credential-formats.md §1.3, §3.1).
public struct Overlay: Sendable, Hashable {
    /// Whose login it is.
    public let owner: LoginOwner
    /// The file, absolute.
    public let path: String
    /// The profile in a neighbour's store; nil for a file of one login.
    public let profileID: String?

    /// An overlay from its parts.
    public init(owner: LoginOwner, path: String, profileID: String? = nil) {
        self.owner = owner
        self.path = path
        self.profileID = profileID
    }

    /// The overlay in an entry's member `overlay`; nil when it is none.
    init?(_ value: Value) {
        guard let owner = value["tool"]?.string.flatMap(LoginOwner.init), let path = value["path"]?.string, path.hasPrefix("/") else {
            return nil
        }
        let profileID = value["profile"]?.string
        guard (owner == .moltbot) == (profileID != nil) else { return nil }
        self.init(owner: owner, path: path, profileID: profileID)
    }

    /// As it is stored.
    var value: Value {
        var members: Object = ["tool": .string(owner.rawValue), "path": .string(path)]
        members["profile"] = profileID.map { .string($0) }
        return .object(members)
    }

    /// The files whose change may change the login.
    var files: [String] { NeighbourDatabase.isDatabase(path) ? [path, path + "-wal"] : [path] }

    /// What a person can do so that it works again.
    public var advice: String {
        switch owner {
        case .codex, .claudeCode: "run \(owner.program) once, or `keybearer import \(owner.rawValue) --adopt`"
        case .qwen, .moltbot: "run \(owner.program) once"
        }
    }

    /// That its token has expired, and what to do.
    public var expiredSentence: String { "the token of \(path) has expired; \(advice)" }
}

/// Reads what overlays refer to.
enum OverlaySource {
    /// Larger is something else.
    static let limit = 4 << 20

    /// The login that `overlay` leads to, for a profile called `id` of `provider`.
    static func profile(_ id: String, provider: String, kind: Profile.Kind, _ overlay: Overlay) throws(ExternalLoginFlaw) -> Profile {
        let found: Profile
        if let name = overlay.profileID {
            found = try NeighbourLogins.profile(name, at: overlay.path).asOverlay(id: id, overlay)
        } else {
            found = try ExternalLogin(root(at: overlay.path), of: overlay.owner).profile(id: id, from: overlay)
        }
        guard found.provider == provider, (found.kind == .apiKey) == (kind == .apiKey) else {
            throw ExternalLoginFlaw("holds another kind of credential now (\(found.kind.rawValue) of \(found.provider)); import it again")
        }
        return found
    }

    static func root(at path: String) throws(ExternalLoginFlaw) -> Value { try document(at: path).root }

    /// The document in the file at `path`. One that cannot be understood is read again a few times: these tools write in place, and what
    /// looks broken may be half of a write.
    static func document(at path: String) throws(ExternalLoginFlaw) -> (root: Value, contents: TrustedFile.Contents) {
        for attempt in 0... {
            let contents = try contents(of: path, limit: limit)
            do throws(SyntaxError) {
                return (try Reader.parse(contents.bytes), contents)
            } catch {
                guard attempt < 3 else { throw ExternalLoginFlaw("is no JSON (line \(error.line), column \(error.column))") }
                usleep(20_000)
            }
        }
        throw ExternalLoginFlaw("is not there")
    }

    /// What the file holds; its owner may be us or root, and nobody else may have written it.
    static func contents(of path: String, limit: Int) throws(ExternalLoginFlaw) -> TrustedFile.Contents {
        do throws(FileError) {
            if let contents = try TrustedFile.contents(path, limit: limit) { return contents }
        } catch {
            throw ExternalLoginFlaw(error.rule == .notRegular ? "is not a regular file" : "cannot be read: \(error.description)")
        }
        throw ExternalLoginFlaw("is not there")
    }
}

extension StoreDocument {
    /// The profiles with what their overlays lead to, what could not be read, and the state of each file that was looked at. The state
    /// is taken before the file is read: a change in between is then seen later, and not missed.
    func resolvingOverlays(_ profiles: [Profile]) -> (profiles: [Profile], problems: [StoreProblem], files: [String: FileIdentity?]) {
        var profiles = profiles
        var problems: [StoreProblem] = []
        var files: [String: FileIdentity?] = [:]
        for (place, profile) in profiles.enumerated() {
            guard let overlay = profile.overlay else { continue }
            for file in overlay.files where files[file] == nil { files[file] = .some(PrivateFile.identity(of: file)) }
            do throws(ExternalLoginFlaw) {
                profiles[place] = try OverlaySource.profile(profile.id, provider: profile.provider, kind: profile.kind, overlay)
            } catch {
                problems.append(
                    StoreProblem(
                        profileID: profile.id, code: .unreadableOverlay,
                        message: "The profile \(ProfileEntry.printable(profile.id)) is \(overlay.owner.name)'s login, and \(overlay.path) "
                            + "\(error.reason)."))
            }
        }
        return (profiles, problems, files)
    }

    /// Makes `id` another program's login. An entry that is there keeps its place and every member that says nothing about a credential.
    public mutating func putOverlay(_ overlay: Overlay, provider: String, isKey: Bool, id: String) {
        var entry = entry(id) ?? [:]
        for name in Self.credentialMembers { entry[name] = nil }
        entry["type"] = .string(isKey ? Profile.Kind.apiKey.rawValue : Profile.Kind.token.rawValue)
        entry["provider"] = .string(provider)
        entry["overlay"] = overlay.value
        setEntry(id, entry)
    }
}
