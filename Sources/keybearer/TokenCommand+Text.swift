internal import Configuration
internal import Credentials
internal import JSON

/// A credential as it is printed. Pure.
enum TokenText {
    /// A header field.
    struct Field: Equatable {
        let name: String
        let value: String
    }

    /// All of standard output.
    ///
    /// - Throws: `Failure` when the settings do not say how the credential goes on a request.
    static func write(_ profile: Profile, as form: TokenForm, _ provider: Provider?) throws -> String {
        let secret = profile.secret?.revealed ?? ""
        switch form {
        case .plain: return secret + "\n"
        case .header: return try fields(of: profile, provider).map { "\($0.name): \($0.value)\n" }.joined()
        case .json:
            // A neighbour's provider that Keybearer does not know still has a token.
            let fields = (try? self.fields(of: profile, provider)) ?? []
            return String(decoding: Writer.pretty(document(profile, secret, fields)), as: UTF8.self)
        }
    }

    /// What is set on a request with this profile, in the order in which the proxy writes it: the credential, the account, what the
    /// provider's data adds for everyone, and the members of list fields.
    static func fields(of profile: Profile, _ provider: Provider?) throws -> [Field] {
        guard let provider else {
            throw Failure.configuration("\(profile.id) belongs to \(profile.provider), a provider that the settings do not know")
        }
        let secret = profile.secret?.revealed ?? ""
        let isBearer = profile.kind == .apiKey && provider.bearerWhenKeyContains.map(secret.contains) == true
        guard let injection = provider.injection(for: profile.kind, keyIsBearer: isBearer) else {
            throw Failure.configuration(
                "\(profile.id) is \(StatusText.kind(profile.kind)), which the settings do not use with \(provider.id)")
        }
        var fields = [Field(name: injection.header, value: injection.prefix + secret)]
        if let name = injection.accountHeader, let account = profile.accountID { fields.append(Field(name: name, value: account)) }
        fields += provider.headers.map { Field(name: $0.name, value: $0.value) }
        return fields + injection.merge.map { Field(name: $0.name, value: $0.value) }
    }

    private static func document(_ profile: Profile, _ secret: String, _ fields: [Field]) -> Value {
        var members: Object = [
            "profile": .string(profile.id), "provider": .string(profile.provider), "type": .string(profile.kind.rawValue),
            "token": .string(secret),
        ]
        if profile.kind != .apiKey, let expires = profile.expires {
            members["expiresAt"] = .integer(expires)
            members["expires"] = .string(Timestamp.rfc3339(expires))
        }
        members["accountId"] = profile.accountID.map { .string($0) }
        members["email"] = profile.email.map { .string($0) }
        // Two list members of one field are one field (RFC 9110 §5.3); an object has a name once.
        var headers = Object()
        for field in fields { headers[field.name] = .string(headers[field.name]?.string.map { "\($0), \(field.value)" } ?? field.value) }
        members["headers"] = .object(headers)
        return .object(members)
    }
}
