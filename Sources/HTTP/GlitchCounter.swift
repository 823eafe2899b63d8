/// Counts what a peer does that is allowed once and harmful often (spec/threats.md §5): resets, empty frames, pings, settings, frames
/// without a meaning. nghttp2 bounds some of these; this bounds their sum.
///
/// A bucket that holds 1,000 and loses 100 a second.
public struct GlitchCounter: Sendable {
    private static var tenthsHeld: Int64 { 10_000 }
    /// Tenths of a glitch, since one is forgotten every 10 ms.
    private var tenths: Int64 = 0
    private var lastAt: Int64 = 0

    /// Nothing has been counted.
    public init() {}

    /// Counts one at `now` (monotonic milliseconds); false once there have been too many.
    public mutating func add(at now: Int64) -> Bool {
        tenths = max(0, tenths - max(0, now - lastAt)) + 10
        lastAt = now
        return tenths <= Self.tenthsHeld
    }
}
