/// What a client put behind the first `@` of a model's name (Moltbot's `/model <ref>@<profile>`).
///
/// Model names of some platforms contain `@` themselves (`claude-sonnet@20250514`, `@cf/meta/llama`, `gpt-5@preset/x`), so that it is a pin
/// only where what follows it is certainly one; else the name goes through untouched.
public enum ModelSuffix: Sendable, Equatable {
    /// A part of the model's name.
    case none
    /// `@auto`: no profile in particular, and no longer the one that the session was pinned to.
    case auto
    /// This profile, as the client wrote it.
    case profile(String)

    /// Reads what follows the `@`.
    ///
    /// - Parameters:
    ///   - isProfile: whether the provider has a profile of this name.
    ///   - isProvider: whether there is a provider of this id.
    public static func read(_ suffix: String, isProfile: (String) -> Bool, isProvider: (String) -> Bool) -> ModelSuffix {
        guard (1...PercentText.longestName).contains(suffix.utf8.count) else { return .none }
        if isProfile(suffix) { return .profile(suffix) }
        if suffix == "auto" { return .auto }
        // A name that looks like a profile's and is none was meant as one: it is refused, and never served by another.
        guard let colon = suffix.firstIndex(of: ":"), suffix.index(after: colon) < suffix.endIndex else { return .none }
        return isProvider(String(suffix[..<colon])) ? .profile(suffix) : .none
    }
}
