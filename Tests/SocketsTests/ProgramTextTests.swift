import Foundation
import Sockets
import Testing

@Suite struct ProgramTextTests {
    /// KiB resident of files, as the kernel counts.
    private func residentOfFiles() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(Int(line.split(whereSeparator: { " \t".contains($0) })[1]))
    }

    /// Other tests map pages meanwhile: the best of some attempts counts.
    @Test func `what is not run is no longer resident`() throws {
        var least = 1.0
        for _ in 0..<5 {
            let before = try residentOfFiles()
            #expect(ProgramText.release() > 1 << 20)
            let after = try residentOfFiles()
            least = min(least, Double(after) / Double(before))
        }
        #expect(least < 0.7, "of what was resident")
    }
}
