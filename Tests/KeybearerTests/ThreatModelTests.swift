import Glibc
import Testing

/// Each sentence of README's section on threats names the tests that show it, in a comment behind it; and those are there.
@Suite struct ThreatModelTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// The section, without its heading.
    private static let section: String = {
        let readme = Text.read(root + "/README.md")
        guard let start = readme.firstRange(of: "\n## Who can do what\n"),
            let end = readme[start.upperBound...].firstRange(of: "\n## ")
        else { return "" }
        return String(readme[start.upperBound..<end.lowerBound])
    }()

    /// What stands in the section's comments, name by name.
    static let names: [String] = {
        var names: [String] = []
        var rest = section[...]
        while let open = rest.firstRange(of: "<!--"), let close = rest[open.upperBound...].firstRange(of: "-->") {
            names += rest[open.upperBound..<close.lowerBound].split(separator: ";").map { String($0.drop { $0 == " " }).trimmed }
            rest = rest[close.upperBound...]
        }
        return Set(names).sorted()
    }()

    /// All of Tests that is written in Swift.
    private static let sources: String = {
        var text = ""
        for module in entries(root + "/Tests") where module.hasSuffix("Tests") {
            let folder = "\(root)/Tests/\(module)"
            for name in entries(folder) where name.hasSuffix(".swift") { text += Text.read("\(folder)/\(name)") }
        }
        return text
    }()

    private static func entries(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    @Test func `Every sentence names its tests`() {
        #expect(Self.section.count > 3_000)
        for line in Self.section.split(separator: "\n") {
            let isHead = line.hasPrefix("**") && line.hasSuffix("**")
            #expect(isHead || line.hasSuffix(" -->"), "\(line)")
            // A full stop ends a sentence where a space or the line's end follows.
            for part in line.split(separator: "-->") {
                let sentence = part.firstRange(of: "<!--").map { part[..<$0.lowerBound] } ?? part
                let stops = sentence.trimmed.ranges(of: ". ").count
                #expect(stops == 0 && (isHead || sentence.trimmed.hasSuffix(".")), "more than one sentence, or none: \(sentence)")
            }
        }
    }

    @Test(arguments: names) func `Every test that is named is there`(name: String) {
        if name.hasSuffix(".exchange") {
            return #expect(!Text.read("\(Self.root)/Tests/ProxyTests/Exchanges/\(name)").isEmpty)
        }
        if name.hasPrefix("full/"), let colon = name.firstRange(of: ": ") {
            let suite = Text.read("\(Self.root)/Tests/\(name[..<colon.lowerBound]).py")
            return #expect(suite.contains(name[colon.upperBound...]))
        }
        let parts = name.split(separator: "/")
        #expect(Self.sources.contains("@Suite struct \(parts[0]) {") || Self.sources.contains("@Suite(.serialized) struct \(parts[0]) {"))
        if parts.count > 1 { #expect(Self.sources.contains("func \(parts[1])(")) }
    }
}

extension StringProtocol {
    /// Without blanks at either end.
    fileprivate var trimmed: String {
        let rest = drop { $0 == " " }
        return String(String(rest.reversed()).drop { $0 == " " }.reversed())
    }
}
