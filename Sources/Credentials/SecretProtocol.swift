import Digest
import JSON

/// How a program is asked for secrets, and how its answer is read (spec/credential-formats.md §1.8). Values in, values out.
enum SecretProtocol {
    /// How many references one question may have.
    static let idLimit = 512
    /// How long the question may be.
    static let questionLimit = 256 << 10

    /// What the program reads: `{"protocolVersion":1,"provider":…,"ids":[…]}`.
    static func question(_ ids: [String], alias: String) throws(UnresolvedReference) -> [UInt8] {
        guard ids.count <= idLimit else { throw UnresolvedReference("is one of more than \(idLimit) references to one program") }
        let bytes = Writer.compact(["protocolVersion": 1, "provider": .string(alias), "ids": .array(ids.map { .string($0) })])
        guard bytes.count <= questionLimit else {
            throw UnresolvedReference("is one of so many references to one program that they do not fit into one question")
        }
        return bytes
    }

    /// What the program has said of each of `ids`.
    static func answers(
        _ output: [UInt8], to ids: [String], jsonOnly: Bool
    ) -> [String: Result<Secret, UnresolvedReference>] {
        func each(_ answer: (String) throws(UnresolvedReference) -> Secret) -> [String: Result<Secret, UnresolvedReference>] {
            var answers: [String: Result<Secret, UnresolvedReference>] = [:]
            for id in ids { answers[id] = Result { () throws(UnresolvedReference) in try answer(id) } }
            return answers
        }
        let text = trimmed(output)
        let value = try? Reader.parse(text)
        guard let answer = value?.object else {
            guard ids.count == 1, !jsonOnly else {
                return each { _ throws(UnresolvedReference) in throw UnresolvedReference("leads to a program that did not answer with JSON")
                }
            }
            return each { _ throws(UnresolvedReference) in
                // A text in quotes is JSON's; without, it is what it is.
                try secret(value?.string.map { Array($0.utf8) } ?? text)
            }
        }
        guard answer["protocolVersion"]?.int64 == 1, let values = answer["values"]?.object else {
            return each { _ throws(UnresolvedReference) in
                throw UnresolvedReference("leads to a program whose answer is not `protocolVersion` 1 with an object `values`")
            }
        }
        return each { id throws(UnresolvedReference) in
            if let error = answer["errors"]?[id] {
                let message = error["message"]?.string.map(Self.printable) ?? ""
                throw UnresolvedReference("leads to a program that has no such secret" + (message.isEmpty ? "" : " (\(message))"))
            }
            guard let value = values[id] else { throw UnresolvedReference("leads to a program that did not speak of it") }
            guard let text = value.string else { throw UnresolvedReference("leads to a program that answered with \(value.kindName)") }
            return try secret(Array(text.utf8))
        }
    }

    private static func secret(_ bytes: [UInt8]) throws(UnresolvedReference) -> Secret {
        guard let secret = Secret(bytes: bytes) else {
            throw UnresolvedReference("leads to a program that said an empty text, or one with a byte that cannot be sent in a header")
        }
        return secret
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) }) else { return [] }
        return Array(bytes[first...last])
    }

    /// A program's own words, cut to what fits into a line of ours.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(120)))
    }
}
