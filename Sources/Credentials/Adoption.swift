import Files
import JSON

/// A login that is taken over from another program, or was: what the change of owner has to remember, so that whatever ends it, the login
/// has one owner. It is a file without a secret, and its suffix says how far it has come; each step is one rename.
/// ```
///             .pending            the tool's file               into the store,
///             is written          becomes the backup            .pending becomes .done
///  the tool's ──────────▶ the tool's ──────────────▶ ours, stored by ──────────────────▶ ours
///      ▲                      │                      whoever loads                        │
///      ├── .pending removed ──┘                      the store next                       │ .done becomes .undoing,
///      │                                                                                  ▼ out of the store
///      └──────────────── the backup becomes the tool's file, .undoing removed ◀── the tool's, given back by
///                                                                                 whoever loads the store next
/// ```
public struct Adoption: Sendable, Equatable {
    /// How far it has come; the raw value is the file's suffix.
    public enum Stage: String, Sendable, CaseIterable {
        /// Meant to be done; done as far as the tool's file goes when the backup is there.
        case pending
        /// The login is ours.
        case done
        /// Being given back.
        case undoing
    }

    /// The profile that gets the login.
    public let profileID: String
    /// The program it is taken from.
    public let owner: LoginOwner
    /// That program's file, behind all links.
    public let path: String
    /// What its file becomes, beside it. The name is this adoption's alone, so that its being there tells that it was taken.
    public let backup: String
    /// The program was pointed at Keybearer already, so that giving back leaves it so.
    public let wasPointed: Bool

    /// An adoption that is about to begin at `now`, ms since 1970.
    public init(profileID: String, owner: LoginOwner, path: String, wasPointed: Bool, now: Int64) {
        self.profileID = profileID
        self.owner = owner
        self.path = path
        backup = "\(path).keybearer-\(now)"
        self.wasPointed = wasPointed
    }

    /// The adoption in a file.
    init?(_ value: Value) {
        guard let profileID = value["profile"]?.string, let owner = value["tool"]?.string.flatMap(LoginOwner.init),
            let path = value["path"]?.string, path.hasPrefix("/"), let backup = value["backup"]?.string, backup.hasPrefix(path + "."),
            let wasPointed = value["wasPointed"]?.bool
        else { return nil }
        self.profileID = profileID
        self.owner = owner
        self.path = path
        self.backup = backup
        self.wasPointed = wasPointed
    }

    /// As it is stored.
    var value: Value {
        [
            "tool": .string(owner.rawValue), "profile": .string(profileID), "path": .string(path), "backup": .string(backup),
            "wasPointed": .bool(wasPointed),
        ]
    }

    /// Whether the program's file has become the backup.
    public var isTaken: Bool { PrivateFile.identity(of: backup) != nil }

    /// The login that was taken.
    public func login() throws(ExternalLoginFlaw) -> ExternalLogin {
        try ExternalLogin(OverlaySource.root(at: backup), of: owner)
    }
}

extension LoginOwner {
    /// The member of its file that is the login; nil: the whole file is.
    private var loginMember: String? { self == .claudeCode ? "claudeAiOauth" : nil }

    /// What is left of its file without the login; nil when that is nothing.
    func rest(of root: Object) -> Object? {
        guard let loginMember else { return nil }
        var rest = root
        rest[loginMember] = nil
        return rest.isEmpty ? nil : rest
    }

    /// Its file with the login of `taken` in it again; nil when it cannot be put beside what is there by now.
    func joined(_ now: Object, with taken: Object) -> Object? {
        guard let loginMember, now[loginMember] == nil || now[loginMember]?.isNull == true else { return nil }
        var joined = now
        joined[loginMember] = taken[loginMember]
        return joined
    }
}
