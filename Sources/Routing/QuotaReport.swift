/// One window of a quota: what is used of it, and when it begins anew.
public struct QuotaWindow: Sendable, Equatable {
    /// The provider's name for it: `requests`, `tokens`, `5h`, `primary`, …
    public var name: WindowName
    /// Used, in thousandths of the whole; -1 when not known.
    public var usedPermille: Int64 = -1
    /// The whole; -1 when not known.
    public var limit: Int64 = -1
    /// What is left; -1 when not known.
    public var remaining: Int64 = -1
    /// When it begins anew, in milliseconds since 1970; 0 when not known.
    public var resetsAt: Int64 = 0
    /// Its length; 0 when not known.
    public var minutes: Int64 = 0
    /// The provider says that nothing more is served from it.
    public var isRejected = false

    /// What is used in thousandths, told or reckoned; nil when nothing is known.
    public var used: Int64? {
        if usedPermille >= 0 { return usedPermille }
        guard limit > 0, remaining >= 0 else { return nil }
        return max(0, limit - remaining) * 1000 / limit
    }

    /// Whether nothing is left of it at `now`.
    public func isExhausted(now: Int64) -> Bool {
        resetsAt > now && (isRejected || remaining == 0 || usedPermille >= 1000)
    }
}

/// A window's name: up to 24 octets, kept in place.
public struct WindowName: Sendable, Equatable {
    private var words: (UInt64, UInt64, UInt64) = (0, 0, 0)

    /// The name in `text`, cut at 24 octets.
    public init(_ text: Span<UInt8>) {
        for at in 0..<min(text.count, 24) {
            let byte = UInt64(text[at] >= 0x41 && text[at] <= 0x5a ? text[at] | 0x20 : text[at]) << UInt64(at % 8 * 8)
            switch at / 8 {
            case 0: words.0 |= byte
            case 1: words.1 |= byte
            default: words.2 |= byte
            }
        }
    }
    /// The name in a string.
    public init(_ text: String) { self.init(Array(text.utf8).span) }

    /// The name as a string.
    public var text: String {
        var bytes: [UInt8] = []
        for word in [words.0, words.1, words.2] {
            for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(place * 8))) }
        }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Names are equal when their octets are.
    public static func == (left: WindowName, right: WindowName) -> Bool { left.words == right.words }
}

/// What one profile's provider last said of its quota. A value of fixed size, so that an answer's fields go into it without allocation.
public struct QuotaReport: Sendable {
    /// How many windows there is room for; further ones are left out.
    public static let capacity = 8

    private var windows = InlineArray<8, QuotaWindow>(repeating: QuotaWindow(name: WindowName("")))
    /// How many windows are known.
    public private(set) var count = 0
    /// When it was said, in milliseconds since 1970; 0: never.
    public var at: Int64 = 0

    /// A report that says nothing.
    public init() {}

    /// The window at `position`.
    public subscript(_ position: Int) -> QuotaWindow {
        get { windows[position] }
        set { windows[position] = newValue }
    }

    /// The windows as a list, for those who print them.
    public var all: [QuotaWindow] { (0..<count).map { windows[$0] } }

    /// The place of the window called `name`, made when it is new; nil when there is no room.
    public mutating func place(of name: WindowName) -> Int? {
        for position in 0..<count where windows[position].name == name { return position }
        guard count < Self.capacity else { return nil }
        windows[count] = QuotaWindow(name: name)
        count += 1
        return count - 1
    }

    /// Takes over what a newer report says; a window that it does not mention stays.
    public mutating func merge(_ newer: QuotaReport) {
        for position in 0..<newer.count {
            guard let place = place(of: newer[position].name) else { continue }
            windows[place] = newer[position]
        }
        at = newer.at
    }

    /// The largest part used of any window that has not begun anew since, in thousandths; 0 when nothing is known.
    public func pressure(now: Int64) -> Int64 {
        var most: Int64 = 0
        for position in 0..<count where windows[position].resetsAt == 0 || windows[position].resetsAt > now {
            most = max(most, windows[position].used ?? 0)
        }
        return most
    }

    /// When the first of its longer windows begins anew, so that what is left of it would be lost; `.max` when none is known. Windows
    /// that end within minutes are no loss.
    public func nextReset(now: Int64) -> Int64 {
        var next = Int64.max
        for position in 0..<count where windows[position].resetsAt > now + 300_000 { next = min(next, windows[position].resetsAt) }
        return next
    }

    /// When the last of its exhausted windows begins anew; nil when none is.
    public func exhaustedUntil(now: Int64) -> Int64? {
        var until: Int64?
        for position in 0..<count where windows[position].isExhausted(now: now) { until = max(until ?? 0, windows[position].resetsAt) }
        return until
    }

    /// Whether a window says, beyond its numbers, that nothing more is served from it.
    public var isRejected: Bool { (0..<count).contains { windows[$0].isRejected } }
}
