import Digest
import Files
public import JSON

/// The client keys and admitted pages of an installation: `<state>/clients.json`, written by commands, read by the server whenever it changes.
public struct ClientBook: Sendable, Equatable {
    /// The key of all keys' codes.
    public private(set) var salt: [UInt8]
    /// In the order in which they were made.
    public private(set) var keys: [ClientKey]
    /// Origins of pages and desktop programs that may call: exact.
    public var origins: [String]
    /// What the file holds beside that.
    private var others: Object
    /// It was read from a file, and not made because there was none.
    public private(set) var isStored = false

    /// The file's name in the state directory.
    public static let fileName = "clients.json"
    /// How many keys there may be.
    public static let keyLimit = 30_000

    /// One without keys.
    public init() {
        salt = Random.bytes(32)
        keys = []
        origins = []
        others = [:]
    }

    /// The key that a person means by its name or id.
    public func key(_ name: String) -> ClientKey? { keys.first { $0.id == name } ?? keys.first { $0.name == name } }

    // MARK: Changes

    /// Adds a key with the policy of `policy`, whose id and code do not count; its text, which is nowhere but in this answer.
    public mutating func add(_ policy: ClientKey, now: Int64) -> (key: ClientKey, text: String) {
        var id = ClientKeyText.newID()
        while keys.contains(where: { $0.id == id }) { id = ClientKeyText.newID() }
        let (code, text) = mint(policy.shape, id: id)
        var key = ClientKey(id: id, name: policy.name, code: code, shape: policy.shape, createdAt: now)
        key.takePolicy(of: policy)
        keys.append(key)
        return (key, text)
    }

    /// Gives a key another secret; the old text is refused from then on. Nil when there is no such key.
    public mutating func rotate(_ id: String) -> String? {
        guard let index = keys.firstIndex(where: { $0.id == id }) else { return nil }
        let (code, text) = mint(keys[index].shape, id: id)
        keys[index].code = code
        return text
    }

    /// Removes a key for good; false when there is none of that id.
    public mutating func remove(_ id: String) -> Bool {
        let before = keys.count
        keys.removeAll { $0.id == id }
        return keys.count < before
    }

    private func mint(_ shape: ClientKeyText.Shape, id: String) -> (code: [UInt8], text: String) {
        var secret = ClientKeyText.newSecret(shape)
        defer { Memory.cleanse(&secret) }
        return (HMACKey(salt).authenticate(secret), ClientKeyText.text(shape, id: id, secret: secret))
    }

    /// Names this content: the same for the same bytes in the file.
    public var digest: String { String(Hexadecimal.encode(SHA256.hash(text)).prefix(16)) }
}

/// Why the file cannot be used, for people.
public struct ClientBookError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, naming the file.
    public let description: String
}

// MARK: - The file

extension ClientBook {
    /// Reads the file; an empty book when there is none.
    public static func read(_ path: String) throws(ClientBookError) -> ClientBook {
        let contents: [UInt8]?
        do throws(FileError) {
            contents = try PrivateFile.read(path)?.bytes
        } catch {
            throw ClientBookError(description: error.description)
        }
        guard let contents else { return ClientBook() }
        guard let object = (try? Reader.parse(contents))?.object else { throw flaw(path, "it is no JSON object") }
        return try ClientBook(object, path)
    }

    /// Reads, changes and replaces it under its lock.
    public static func change<Outcome>(
        _ path: String, _ body: (inout ClientBook) throws -> Outcome
    ) throws -> (book: ClientBook, outcome: Outcome) {
        guard let lock = try FileLock.acquire(path + ".lock", timeout: .seconds(5)) else {
            throw ClientBookError(description: "\(path) is being changed by another command")
        }
        defer { withExtendedLifetime(lock) {} }
        var book = try read(path)
        let outcome = try body(&book)
        try PrivateFile.replace(path, with: book.text)
        return (book, outcome)
    }

    private static func flaw(_ path: String, _ what: String) -> ClientBookError {
        ClientBookError(description: "\(path) cannot be read: \(what)")
    }

    private init(_ object: Object, _ path: String) throws(ClientBookError) {
        guard object["version"]?.int64 == 1 else { throw Self.flaw(path, "its version is not 1") }
        guard let salt = object["salt"]?.string.flatMap(Base64URL.decode), salt.count == 32 else {
            throw Self.flaw(path, "it has no salt of 32 bytes")
        }
        self.salt = salt
        origins = (object["origins"]?.array ?? []).compactMap(\.string)
        keys = []
        var ids: Set<String> = []
        for value in object["keys"]?.array ?? [] {
            // What cannot be understood must not be taken for a key without limits.
            guard let key = ClientKey(value), ids.insert(key.id).inserted else {
                throw Self.flaw(path, "key \(keys.count + 1) is malformed")
            }
            keys.append(key)
        }
        others = object
        isStored = true
    }

    /// The file's text.
    var text: [UInt8] {
        var object = others
        object["version"] = .integer(1)
        object["salt"] = .string(Base64URL.encode(salt))
        object["keys"] = .array(keys.map(\.value))
        object["origins"] = .array(origins.map { .string($0) })
        return Writer.pretty(.object(object))
    }
}

extension ClientKey {
    private static let members: Set<String> = [
        "id", "name", "code", "shape", "createdAt", "expiresAt", "agent", "providers", "profiles", "models", "rate", "budgetTokens",
    ]

    /// As the file has it; nil for one with a member that is unknown here or of the wrong kind: it may be a limit.
    fileprivate init?(_ value: Value) {
        guard let object = value.object, object.allSatisfy({ Self.members.contains($0.name) }), let id = object["id"]?.string,
            ClientKeyText.number(of: id) != nil, let name = object["name"]?.string,
            let code = object["code"]?.string.flatMap(Base64URL.decode), code.count == SHA256.byteCount,
            let shape = object["shape"]?.string.flatMap(ClientKeyText.Shape.init), let createdAt = object["createdAt"]?.int64
        else { return nil }
        self.init(id: id, name: name, code: code, shape: shape, createdAt: createdAt)
        func list(_ name: String) -> [String]? {
            guard let value = object[name] else { return [] }
            let texts = value.array?.compactMap(\.string)
            return texts?.count == value.array?.count ? texts : nil
        }
        func number(_ name: String) -> Int64?? { object[name].map { $0.int64 } }
        guard let providers = list("providers"), let profiles = list("profiles"), let models = list("models") else { return nil }
        (self.providers, self.profiles, self.models) = (providers, profiles, models)
        if let agent = object["agent"] {
            guard let agent = agent.string else { return nil }
            self.agent = agent
        }
        if let rate = object["rate"] {
            guard let rate = rate.string.flatMap(Rate.init) else { return nil }
            self.rate = rate
        }
        if let expires = number("expiresAt") {
            guard let expires else { return nil }
            expiresAt = expires
        }
        if let budget = number("budgetTokens") {
            guard let budget, budget >= 0 else { return nil }
            budgetTokens = budget
        }
    }

    fileprivate var value: Value {
        var object: Object = [
            "id": .string(id), "name": .string(name), "code": .string(Base64URL.encode(code)), "shape": .string(shape.rawValue),
            "createdAt": .integer(createdAt),
        ]
        for (name, value) in policy { object[name] = value }
        return .object(object)
    }

    /// What it allows, member by member; one that allows everything has none. No secret is in it.
    public var policy: [(name: String, value: Value)] {
        func list(_ texts: [String]) -> Value? { texts.isEmpty ? nil : .array(texts.map { .string($0) }) }
        let all: [(String, Value?)] = [
            ("expiresAt", expiresAt.map { .integer($0) }), ("agent", agent.map { .string($0) }), ("providers", list(providers)),
            ("profiles", list(profiles)), ("models", list(models)), ("rate", rate.map { .string($0.description) }),
            ("budgetTokens", budgetTokens.map { .integer($0) }),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
