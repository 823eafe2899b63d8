/// A settings file, or one of the provider files beside it, as read.
public struct SettingsText: Sendable {
    /// As people should see it.
    public let path: String
    /// The content, UTF-8.
    public let bytes: [UInt8]

    /// A text that somebody else has read.
    public init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// What the command line says; it goes before the file.
public struct SettingsOverrides: Sendable {
    /// Values of `--listen`; empty: not given.
    public var listen: [String]
    /// Values of `--insecure-listen`.
    public var insecureListen: [String]
    /// The value of `--workers`.
    public var workers: Int?
    /// The value of `--log-level`.
    public var logLevel: String?

    /// The flags that were given.
    public init(listen: [String] = [], insecureListen: [String] = [], workers: Int? = nil, logLevel: String? = nil) {
        self.listen = listen
        self.insecureListen = insecureListen
        self.workers = workers
        self.logLevel = logLevel
    }
}
