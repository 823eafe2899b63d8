internal import Configuration
internal import Credentials
internal import Digest
internal import Routing

/// A client key as requests meet it: its policy by the numbers of one generation of the settings.
final class KeyPolicy: Sendable {
    let id: String
    let name: String
    let idBytes: [UInt8]
    let agent: String?
    /// Its place among the keys.
    let index: Int
    /// Which code its secret has.
    let code: [UInt8]
    let expiresAt: Int64?
    /// By provider number; empty: all.
    private let providers: [Bool]
    /// Ids; empty: all.
    let profiles: [String]
    private let models: [ModelRule]
    /// What it has used, which outlives generations.
    let meter: ClientMeter

    /// A model's name, or the beginning of names.
    private struct ModelRule: Sendable {
        let text: [UInt8]
        let isPrefix: Bool
        let key: UInt64

        init(_ text: String) {
            isPrefix = text.hasSuffix("*")
            let name = isPrefix ? String(text.dropLast()) : text
            self.text = Array(name.utf8)
            key = ModelKey.of(name)
        }
    }

    init(_ key: ClientKey, index: Int, settings: Settings, meter: ClientMeter) {
        id = key.id
        name = key.name
        idBytes = Array(key.id.utf8)
        agent = key.agent
        self.index = index
        code = key.code
        expiresAt = key.expiresAt
        providers = key.providers.isEmpty ? [] : settings.providers.map { key.providers.contains($0.id) }
        profiles = key.profiles
        models = key.models.map(ModelRule.init)
        self.meter = meter
    }

    func allows(provider: Int) -> Bool { providers.isEmpty || providers[provider] }
    var limitsModels: Bool { !models.isEmpty }

    /// A name that is written out.
    func allows(_ model: String) -> Bool {
        let name = Array(model.utf8)
        return models.contains { rule in rule.isPrefix ? name.starts(with: rule.text) : name == rule.text }
    }
    /// `key`: of the whole name, of which the text is the beginning.
    func allows(_ model: ModelText, key: UInt64) -> Bool {
        models.contains { rule in rule.isPrefix ? model.begins(with: rule.text) : rule.key == key && model.begins(with: rule.text) }
    }
}

/// All client keys of a generation, found by id in one step however many there are.
///
/// Open addressing over the ids' own bits, which are random: at most half of the places are taken.
final class ClientKeys: Sendable {
    private let salt: HMACKey
    private let policies: [KeyPolicy]
    private let numbers: [UInt64]
    /// Codes one behind the other, in the order of `policies`.
    private let codes: [UInt8]
    private let places: [Int32]

    init(_ book: ClientBook, _ settings: Settings, _ ledger: ClientLedger) {
        salt = HMACKey(book.salt)
        policies = book.keys.enumerated().map { KeyPolicy($1, index: $0, settings: settings, meter: ledger.meter($1)) }
        numbers = book.keys.map { ClientKeyText.number(of: $0.id) ?? 0 }
        codes = policies.flatMap(\.code)
        var size = 8
        while size < policies.count * 2 { size *= 2 }
        var places = [Int32](repeating: -1, count: size)
        for (index, number) in numbers.enumerated() {
            var place = Self.start(number, size)
            while places[place] >= 0 { place = (place + 1) & (size - 1) }
            places[place] = Int32(index)
        }
        self.places = places
    }

    private static func start(_ number: UInt64, _ size: Int) -> Int {
        Int(truncatingIfNeeded: (number &* 0x9e37_79b9_7f4a_7c15) >> 32) & (size - 1)
    }

    var isEmpty: Bool { policies.isEmpty }
    var count: Int { policies.count }

    /// The key that this text is; nil for one that is unknown, revoked, or has another secret.
    func find(_ text: RawSpan, _ parts: ClientKeyText.Parts) -> KeyPolicy? {
        guard let index = index(of: parts.id) else { return nil }
        return salt.verify(text.extracting(parts.secret), codes, at: index * SHA256.byteCount) ? policies[index] : nil
    }

    /// What an older generation's key is now; nil when it is there no more, or has another secret.
    func renewed(_ policy: KeyPolicy) -> KeyPolicy? {
        guard let number = ClientKeyText.number(of: policy.id), let index = index(of: number), policies[index].code == policy.code else {
            return nil
        }
        return policies[index]
    }

    private func index(of number: UInt64) -> Int? {
        var place = Self.start(number, places.count)
        while places[place] >= 0 {
            if numbers[Int(places[place])] == number { return Int(places[place]) }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }
}
