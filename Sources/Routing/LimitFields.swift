public import Configuration

/// Reads the fields in which providers tell what is left of a quota (spec/providers.md) into one model.
public enum LimitFields {
    /// Takes in one field of an answer; false when it is none of the family's. Names in any case.
    ///
    /// A field of another name costs a comparison of its first octets.
    public static func read(
        _ name: Span<UInt8>, _ value: Span<UInt8>, of names: LimitNames, into report: inout QuotaReport, now: Int64
    ) -> Bool {
        guard begins(name, names.prefix) else { return false }
        let rest = name.extracting(names.prefix.count..<name.count)
        switch names.family {
        case .anthropic:
            let isUnified = begins(rest, "unified-")
            anthropic(rest.extracting((isUnified ? 8 : 0)..<rest.count), value, into: &report, now: now)
        case .openai: openai(rest, value, into: &report, now: now)
        case .codex: codex(rest, value, into: &report, now: now)
        }
        return true
    }

    /// `prefix` is in lower case.
    @inline(__always)
    private static func begins(_ name: Span<UInt8>, _ prefix: [UInt8]) -> Bool {
        guard name.count > prefix.count else { return false }
        for at in 0..<prefix.count where (name[at] >= 0x41 && name[at] <= 0x5a ? name[at] | 0x20 : name[at]) != prefix[at] { return false }
        return true
    }

    /// `requests-limit`, `5h-utilization`, and, for what holds for all windows together, `reset` and `status`.
    private static func anthropic(_ name: Span<UInt8>, _ value: Span<UInt8>, into report: inout QuotaReport, now: Int64) {
        var cut = name.count
        while cut > 0, name[cut - 1] != UInt8(ascii: "-") { cut -= 1 }
        let window = cut > 0 ? WindowName(name.extracting(0..<cut - 1)) : WindowName("unified")
        set(name.extracting(cut..<name.count), value, of: window, in: &report, now: now)
    }

    /// `limit-requests`; a window without a name is that of requests.
    private static func openai(_ name: Span<UInt8>, _ value: Span<UInt8>, into report: inout QuotaReport, now: Int64) {
        var cut = 0
        while cut < name.count, name[cut] != UInt8(ascii: "-") { cut += 1 }
        let window = cut + 1 < name.count ? WindowName(name.extracting(cut + 1..<name.count)) : WindowName("requests")
        set(name.extracting(0..<cut), value, of: window, in: &report, now: now)
    }

    /// `primary-used-percent`, `secondary-window-minutes`, …
    private static func codex(_ name: Span<UInt8>, _ value: Span<UInt8>, into report: inout QuotaReport, now: Int64) {
        var cut = 0
        while cut < name.count, name[cut] != UInt8(ascii: "-") { cut += 1 }
        let window = name.extracting(0..<cut)
        guard equals(window, "primary") || equals(window, "secondary"), cut < name.count else { return }
        set(name.extracting(cut + 1..<name.count), value, of: WindowName(window), in: &report, now: now)
    }

    /// Only what is understood makes a window.
    private static func set(
        _ facet: Span<UInt8>, _ value: Span<UInt8>, of name: WindowName, in report: inout QuotaReport, now: Int64
    ) {
        if equals(facet, "limit") {
            guard let number = Decimal.thousandths(value), let place = report.place(of: name) else { return }
            report[place].limit = number / 1000
        } else if equals(facet, "remaining") {
            guard let number = Decimal.thousandths(value), let place = report.place(of: name) else { return }
            report[place].remaining = number / 1000
        } else if equals(facet, "reset") || equals(facet, "reset-at") || equals(facet, "reset-after-seconds") {
            guard let time = ResetTime.parse(value, now: now), let place = report.place(of: name) else { return }
            report[place].resetsAt = time
        } else if equals(facet, "utilization") {
            guard let number = Decimal.thousandths(value), let place = report.place(of: name) else { return }
            report[place].usedPermille = number
        } else if equals(facet, "used-percent") {
            guard let number = Decimal.thousandths(value), let place = report.place(of: name) else { return }
            report[place].usedPermille = number / 100
        } else if equals(facet, "window-minutes") {
            guard let number = Decimal.thousandths(value), let place = report.place(of: name) else { return }
            report[place].minutes = number / 1000
        } else if equals(facet, "status") {
            // `overage-status` tells whether more may be bought: that is no window.
            guard name != WindowName("overage"), let place = report.place(of: name) else { return }
            report[place].isRejected = equals(value, "rejected")
        }
    }

    @inline(__always)
    private static func begins(_ name: Span<UInt8>, _ prefix: StaticString) -> Bool {
        let count = prefix.utf8CodeUnitCount
        guard name.count > count else { return false }
        return equals(name.extracting(0..<count), prefix)
    }

    @inline(__always)
    private static func equals(_ text: Span<UInt8>, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            for at in 0..<text.count where unsafe (text[at] >= 0x41 && text[at] <= 0x5a ? text[at] | 0x20 : text[at]) != word[at] {
                return false
            }
            return true
        }
    }
}
