public import Credentials

/// A credential found in the environment: used for a provider that has no profile which can be used, and for nothing else.
public struct EnvironmentKey: Sendable {
    /// Whose it is.
    public let provider: String
    /// The variable it was found in.
    public let variable: String
    /// How it is sent: variables that say TOKEN hold bearer tokens (spec/credential-formats.md §7.7).
    public let kind: Profile.Kind
    /// The credential.
    public let secret: Secret

    /// A key from its parts.
    public init(provider: String, variable: String, kind: Profile.Kind, secret: Secret) {
        self.provider = provider
        self.variable = variable
        self.kind = kind
        self.secret = secret
    }

    /// What it is called where a profile's id would stand.
    public var profileID: String { "\(provider):env" }

    /// What tools that are pointed at Keybearer are given in place of a key. It must never be taken for one: a server started from such a
    /// tool's environment would send it to the provider.
    public static let placeholder = "keybearer-placeholder"

    /// The keys that an environment holds for `providers`, at most one each: of a provider's variables the first that holds something
    /// usable. A value that cannot go on a request (a space, a line break) counts as none, and so does our own placeholder.
    public static func found(for providers: [Provider], in environment: (_ name: String) -> String?) -> [EnvironmentKey] {
        providers.compactMap { provider in
            for name in provider.environmentKeys {
                let kind: Profile.Kind = name.split(separator: "_").contains("TOKEN") ? .token : .apiKey
                guard provider.injection(for: kind) != nil, let text = environment(name), text != placeholder, let secret = Secret(text)
                else { continue }
                return EnvironmentKey(provider: provider.id, variable: name, kind: kind, secret: secret)
            }
            return nil
        }
    }

    /// The key as a profile, for whoever puts credentials on requests.
    public var profile: Profile { Profile(id: profileID, provider: provider, kind: kind, secret: secret) }

    /// Whether it may be used for `provider` although profiles of these `kinds` are there, none of which can be used now: a metered key
    /// does not step in for a subscription whose login has ended, unless the settings say so (DESIGN §8).
    public func mayReplace(_ kinds: [Profile.Kind], of provider: Provider, allowPaidFallback: Bool) -> Bool {
        guard provider.injection(for: kind)?.billing == .metered, !allowPaidFallback else { return true }
        return !kinds.contains { provider.injection(for: $0)?.billing == .subscription }
    }
}
