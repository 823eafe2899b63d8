import Files
import Testing

@testable import Bench

/// `Tests/Peers` says of each proxy what a run has to know, and README has a place for the table.
@Suite struct PeersTests {
    private let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    @Test func `Each proxy's settings say what it speaks`() throws {
        let names = Directory.names(in: root + "/Tests/Peers").filter { $0 != "run" }
        #expect(names.sorted() == ["envoy", "h2o", "haproxy", "nginx"])
        for name in names {
            let path = "\(root)/Tests/Peers/\(name)"
            let spoken = try FileText.read(path).split(separator: "\n").first { $0.hasPrefix("# speaks: ") }
            #expect(spoken.flatMap { Pairing.list($0.dropFirst("# speaks: ".count)) } != nil, "\(name)")
            #expect(Surroundings.isExecutable(path), "\(name)")
        }
    }

    @Test func `README has one place for the table`() throws {
        let lines = try FileText.read(root + "/README.md").split(separator: "\n", omittingEmptySubsequences: false)
        let marks = lines.indices.filter { lines[$0] == "<!-- peers -->" || lines[$0] == "<!-- /peers -->" }
        #expect(marks.map { lines[$0] } == ["<!-- peers -->", "<!-- /peers -->"])
    }
}
