public import JSON

/// One member in force, for `config show`.
public struct SettingsReportLine: Sendable, Equatable {
    /// The full path, such as `timeouts.head`.
    public let member: String
    /// The value, as the settings file would say it.
    public let value: Value
    /// Where it comes from.
    public let origin: Origin
}

extension Settings {
    /// Every member in force with its value and where it comes from, in the order of the schema. Holds no secret, because settings don't.
    public var report: [SettingsReportLine] {
        SettingsSchema.root.report(self, under: "").map {
            SettingsReportLine(member: $0.member, value: $0.value, origin: origins[$0.member])
        }
    }
}
