/// A browser's origin (RFC 6454 §6.2) as it stands in `Origin`: a page's, or that of a desktop program built on a browser.
public enum PageOrigin {
    /// Whether an origin can be admitted: scheme, host and port in lower case, nothing after. `null` means none that one could trust.
    public static func isAdmissible(_ text: String) -> Bool {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].utf8.first, (0x61...0x7a).contains(first) else { return false }
        guard parts[0].utf8.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }) else { return false }
        guard let (host, port) = HostText.split(parts[1]), text == text.lowercased(), !host.isEmpty else { return false }
        return port.map { HostText.port($0) ?? 0 > 0 } ?? true
    }
}
