import Glibc
import HTTP
import Testing

@Suite struct LineScannerTests {
    @Test func anIncompleteHeadWaitsAtEveryByte() {
        let bytes = latin1("\r\nPOST /a HTTP/1.1\r\nHost: a\r\nX: \ty\r\n\r\n")
        var head = RequestHead()
        for count in 0..<bytes.count {
            let part = head.read(Array(bytes[..<count]))
            #expect(part.outcome == .incomplete)
        }
        let whole = head.read(bytes)
        #expect(whole.target == "/a")
    }

    /// A search that began anew with each byte would look at two thousand million of them.
    @Test func aHeadThatComesByteByByteIsSearchedOnce() {
        let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\nX: ") + [UInt8](repeating: UInt8(ascii: "x"), count: 65_000) + latin1("\r\n\r\n")
        var head = RequestHead()
        var outcome = HeadOutcome.incomplete
        // Time of this thread's own work, so that a busy machine does not matter.
        let start = threadTime()
        bytes.withUnsafeBytes {
            for count in 1...$0.count { outcome = head.parse(UnsafeRawBufferPointer(rebasing: $0[..<count]), limits: HeadLimits()) }
        }
        let seconds = threadTime() - start
        #expect(outcome == .complete(byteCount: bytes.count))
        #expect(seconds < 0.5)
    }

    @Test func aBadByteIsSeenBeforeItsLineEnds() {
        #expect(request("GET /\u{00}").rejection == .controlByte)
        #expect(request("GET / HTTP/1.1\n").rejection == .bareLineFeed)
        #expect(request("GET / HTTP/1.1\r").outcome == .incomplete)
        #expect(request("GET / HTTP/1.1\rG").rejection == .bareCarriageReturn)
        #expect(request("\u{16}\u{03}\u{01}").rejection == .controlByte)
    }

    private func threadTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
