import HTTP

/// What is admitted as a request is a request to every reader, and it matters not how it is cut.
enum RequestRules {
    static func check(_ input: [UInt8]) {
        var head = RequestHead()
        let whole = parse(&head, input[...])
        checkCuts(input, whole)
        guard case .complete(let count) = whole else { return }
        demand(count <= input.count && input[..<count].suffix(4) == [13, 10, 13, 10], "a head ends in an empty line")
        demand(!(head.contains(.contentLength) && head.contains(.transferEncoding)), "one framing")
        // What goes to the provider is written from the parsed form, so that form must mean the same when it is read again.
        var lines = Array(input[head.methodRange]) + [0x20] + Array(input[head.target]) + Array(" HTTP/1.1\r\n".utf8)
        for index in 0..<head.fieldCount { append(head[index], of: input, to: &lines) }
        lines += [13, 10]
        let framing = head.framing
        let fields = head.fieldCount
        let host = Array(input[head.host])
        let method = head.method
        // A target in absolute form is sent as a path.
        guard head.version == .http11, head.targetAuthority == nil, lines.count <= 65_536 else { return }
        var again = RequestHead()
        demand(parse(&again, lines[...]) == .complete(byteCount: lines.count), "what was written is read")
        demand(again.framing == framing && again.fieldCount == fields && again.method == method, "and read as the same")
        demand(Array(lines[again.host]) == host, "with the same host")
    }

    private static func checkCuts(_ input: [UInt8], _ whole: HeadOutcome) {
        var head = RequestHead()
        for piece in cuts(input) {
            let outcome = parse(&head, input[..<piece.upperBound])
            if outcome == .incomplete { continue }
            if case .complete(let count) = whole { demand(outcome == .complete(byteCount: count), "cuts do not matter") }
            if case .rejected = whole { demand(outcome == whole, "cuts do not matter") }
            demand(whole != .incomplete, "cuts do not matter")
            return
        }
        demand(whole == .incomplete, "cuts do not matter")
    }

    private static func parse(_ head: inout RequestHead, _ bytes: ArraySlice<UInt8>) -> HeadOutcome {
        bytes.withUnsafeBytes { head.parse($0, limits: HeadLimits()) }
    }
}

/// The same for answers.
enum ResponseRules {
    static func check(_ input: [UInt8]) {
        for toHead in [false, true] {
            var head = ResponseHead()
            let whole = input.withUnsafeBytes { head.parse($0, requestMethodWasHead: toHead, limits: HeadLimits()) }
            guard case .complete(let count) = whole else { continue }
            demand(count <= input.count && input[..<count].suffix(4) == [13, 10, 13, 10], "a head ends in an empty line")
            demand((100...999).contains(head.status), "a status has three digits")
            if toHead || head.status == 204 || head.status == 304 || head.isInterim { demand(head.framing == .none, "no body follows") }
            var lines = Array("HTTP/1.1 \(head.status) ".utf8) + Array(input[head.reasonRange]) + [13, 10]
            for index in 0..<head.fieldCount { append(head[index], of: input, to: &lines) }
            lines += [13, 10]
            let fields = head.fieldCount
            let framing = head.framing
            guard head.version == .http11, lines.count <= 65_536 else { continue }
            var again = ResponseHead()
            let outcome = lines.withUnsafeBytes { again.parse($0, requestMethodWasHead: toHead, limits: HeadLimits()) }
            demand(outcome == .complete(byteCount: lines.count), "what was written is read")
            demand(again.fieldCount == fields && again.framing == framing, "and read as the same")
        }
    }
}

private func append(_ field: FieldLine, of input: [UInt8], to lines: inout [UInt8]) {
    lines += input[field.nameRange]
    lines += [UInt8(ascii: ":"), 0x20]
    lines += input[field.valueRange]
    lines += [13, 10]
}
