/// When the requests of an open loop begin, whatever becomes of those before them: latency counts from here, so that a server that stalls
/// cannot hide the requests that it held up (coordinated omission). Pure.
struct Schedule {
    /// When the first one begins, in monotonic nanoseconds.
    let start: Int64
    /// Requests a second.
    let rate: Double

    /// When request `number`, from 0, begins.
    @inline(__always)
    func time(of number: Int) -> Int64 { start + Int64(Double(number) * 1e9 / rate) }

    /// Nanoseconds from one request to the next.
    var interval: Int64 { max(1, Int64(1e9 / rate)) }

    /// Which of `connections` × `streams` units makes request `number`: connections take turns, so that each has the same load. Units of a
    /// connection stand side by side.
    @inline(__always)
    static func unit(of number: Int, connections: Int, streams: Int) -> Int {
        let place = number % (connections * streams)
        return place % connections * streams + place / connections
    }
}
