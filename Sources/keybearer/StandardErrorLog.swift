internal import Configuration
internal import Glibc
internal import Logging
internal import Sockets

/// The control plane's log on standard error: one line a message, one write a line, so that lines of several threads never mix.
struct StandardErrorLog: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let isJSON: Bool

    /// A logger by the settings. `auto` is text for a person at a terminal, JSON for whatever collects logs otherwise.
    static func logger(_ settings: LogSettings) -> Logger {
        let isJSON =
            switch settings.format {
            case .auto: isatty(STDERR_FILENO) == 0
            case .text: false
            case .json: true
            }
        let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        return Logger(label: "keybearer", factory: { _ in StandardErrorLog(logLevel: level, isJSON: isJSON) })
    }

    private init(logLevel: Logger.Level, isJSON: Bool) {
        self.logLevel = logLevel
        self.isJSON = isJSON
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let write = isJSON ? LogLine.json : LogLine.text
        Output.write(write(Clock.wall(), event.level, "\(event.message)", all), to: STDERR_FILENO)
    }
}
