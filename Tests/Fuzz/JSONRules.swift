import JSON

/// What was read is written so that it is read as the same, and what is JSON is JSON5 as well.
enum JSONRules {
    static func check(_ input: [UInt8]) {
        _ = try? JSON5Reader.parse(input)
        guard let value = try? Reader.parse(input) else { return }
        for text in [Writer.compact(value), Writer.pretty(value)] {
            guard let again = try? Reader.parse(text) else { fatalError("broken rule: what was written is read") }
            demand(again == value, "and read as the same")
        }
        // JSON5 as we read it refuses a name that occurs twice, and counts depth by its own limit.
        guard let strict = try? Reader.parse(input, duplicateNames: .refused) else { return }
        if let relaxed = try? JSON5Reader.parse(input) { demand(relaxed.plain == strict, "JSON means the same as JSON5") }
    }
}

/// The scanner finds what the reader finds, however the text is cut.
enum ScannerRules {
    private static let wanted = MemberScanner.Wanted(top: ["model", "conversation", "a", "", ""], inside: "id", anywhere: "file_id")

    static func check(_ input: [UInt8]) {
        let whole = scan(input, [0..<input.count])
        let cut = scan(input, cuts(input))
        for index in 0..<3 { demand(whole[index] == cut[index], "cuts do not matter") }
        demand(whole.referenceCount == cut.referenceCount && whole.isOver == cut.isOver, "cuts do not matter")
        for index in 0..<whole.referenceCount {
            demand(whole.references[index] == cut.references[index], "cuts do not matter")
            demand(whole.references[index].end <= input.count, "a value lies inside")
        }
        for index in 0..<3 where whole[index].isString { demand(whole[index].end < input.count, "a value lies inside") }
        guard let object = (try? Reader.parse(input))?.object else { return }
        demand(whole.isOver, "an object ends")
        for (index, name) in ["model", "conversation", "a"].enumerated() {
            demand((whole[index].times > 0) == (object[name] != nil), "a member is found, if it is there")
            guard whole[index].times == 1, let text = object[name]?.string else { continue }
            demand(StringContent.text(of: whole[index].range, in: input.span) == text, "its text is its text")
        }
    }

    private static func scan(_ text: [UInt8], _ pieces: [Range<Int>]) -> MemberScanner {
        var scanner = MemberScanner(wanted)
        for piece in pieces { scanner.feed(text.span.bytes.extracting(piece)) }
        return scanner
    }
}
