import Credentials
import Glibc
import Sockets

/// Plays one party's script over one connection, on the calling thread.
struct Performer {
    private let stage: Stage
    private let script: ExchangeFile.Script
    private let isClient: Bool
    private let socket: PlainSocket
    private var reader: MessageReader
    private var unsent: [UInt8] = []
    private var lastBody: String?

    /// `script`: with its placeholders replaced.
    init(_ script: ExchangeFile.Script, on socket: PlainSocket, stage: Stage, isClient: Bool) {
        self.script = script
        self.socket = socket
        self.stage = stage
        self.isClient = isClient
        reader = MessageReader(socket)
    }

    /// Plays all steps; the first one that goes otherwise ends the script and is reported with its line.
    mutating func perform() {
        for (index, step) in script.steps.enumerated() {
            do throws(Mismatch) {
                try perform(step)
                let next = index + 1 < script.steps.count ? script.steps[index + 1].verb : ""
                // Lines that follow each other leave in one write.
                if !unsent.isEmpty, next != ">", next != ">>" {
                    let bytes = unsent
                    unsent = []
                    socket.send(bytes)
                }
            } catch {
                stage.report("line \(step.line) (\(script.name)): expected \(error.expected), got \(error.got)")
                return socket.close()
            }
        }
    }

    private mutating func perform(_ step: ExchangeFile.Step) throws(Mismatch) {
        let text = step.text
        switch step.verb {
        case ">": unsent += Placeholders.bytes(text) + [13, 10]
        case ">>": unsent += Placeholders.bytes(text)
        case "answer": unsent += Self.answer(text)
        case "expect": try expect(text)
        case "header": try header(text)
        case "no-header": try noHeader(text)
        case "body": try compare(Placeholders.bytes(text), try reader.readBody())
        case "body-has": try bodyHas(text)
        case "body-lacks": try bodyLacks(text)
        case "no-body": reader.forgetBody()
        case "chunk": try compare(Placeholders.bytes(text), try reader.readChunk() ?? Array("(the last chunk)".utf8))
        case "last-chunk":
            if let chunk = try reader.readChunk() { throw Mismatch(expected: "the last chunk", got: MessageReader.shown(chunk)) }
            try compare(Placeholders.bytes(text), Array(reader.trailers.joined(separator: "\n").utf8))
        case "receive":
            let wanted = Placeholders.bytes(text)
            reader.forgetBody()
            try compare(wanted, try reader.take(wanted.count))
        case "open", "closed", "reset", "gone": try connectionIs(step.verb)
        case "pause": Pause.milliseconds(Int32(text) ?? 0)
        case "close": socket.close()
        case "cut":
            socket.resetOnClose()
            socket.close()
        case "end": socket.endSending()
        case "signal": stage.raise(text)
        case "wait": guard stage.waitFor(text) else { throw Mismatch(expected: "the signal \(text)", got: "none") }
        default: try file(step.verb, text)
        }
    }

    /// `200 {"ok":true}`: a whole answer of plain HTTP.
    private static func answer(_ text: String) -> [UInt8] {
        let status = text.prefix { $0 != " " }
        let body = Placeholders.bytes(String(text.dropFirst(status.count + 1)))
        return Array("HTTP/1.1 \(status) Scripted\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    // MARK: Heads

    private mutating func expect(_ text: String) throws(Mismatch) {
        if reader.hasUnreadBody { _ = try reader.readBody() }
        lastBody = nil
        try reader.readHead(isRequest: !isClient)
        let isStatus = isClient && Int(text) != nil
        let matches = isStatus ? reader.startLine.hasPrefix("HTTP/1.1 \(text) ") : reader.startLine == text
        guard matches else { throw Mismatch(expected: text, got: "\(reader.startLine) \(reader.fields)") }
    }

    /// `name: value`; several fields of the name are compared joined by ` | `, and `*` stands for any one value.
    private func header(_ text: String) throws(Mismatch) {
        let name = String(text.prefix { $0 != ":" })
        let wanted = text.dropFirst(name.count + 1).drop { $0 == " " }
        let values = reader.values(of: name)
        let matches = wanted == "*" ? values.count == 1 && !values[0].isEmpty : !values.isEmpty && values.joined(separator: " | ") == wanted
        guard matches else { throw Mismatch(expected: text, got: values.isEmpty ? "no such field in \(reader.fields)" : "\(values)") }
    }

    private func noHeader(_ name: String) throws(Mismatch) {
        let values = reader.values(of: name)
        guard values.isEmpty else { throw Mismatch(expected: "no field \(name)", got: "\(values)") }
    }

    // MARK: Bodies

    private func compare(_ expected: [UInt8], _ got: [UInt8]) throws(Mismatch) {
        guard expected == got else {
            let same = zip(expected, got).prefix { $0 == $1 }.count
            throw Mismatch(expected: MessageReader.shown(expected), got: "\(MessageReader.shown(got)); they differ from byte \(same) on")
        }
    }
    /// Several steps may look at one body.
    private mutating func wholeBody() throws(Mismatch) -> String {
        if reader.hasUnreadBody || lastBody == nil { lastBody = String(decoding: try reader.readBody(), as: UTF8.self) }
        return lastBody ?? ""
    }
    private mutating func bodyHas(_ text: String) throws(Mismatch) {
        let body = try wholeBody()
        guard body.contains(text) else { throw Mismatch(expected: "a body with \(text)", got: body) }
    }
    private mutating func bodyLacks(_ text: String) throws(Mismatch) {
        let body = try wholeBody()
        guard !body.contains(text) else { throw Mismatch(expected: "a body without \(text)", got: body) }
    }

    // MARK: The connection

    private mutating func connectionIs(_ state: String) throws(Mismatch) {
        if reader.hasUnreadBody { _ = try reader.readBody() }
        let got: String
        // A connection that is to end does so at once: long before a time-out would end it.
        switch reader.next(within: state == "open" ? 150 : 1_500) {
        case .nothing: got = "open"
        case .ended: got = "closed"
        case .reset: got = "reset"
        case .bytes(let bytes): got = "bytes: \(MessageReader.shown(bytes))"
        }
        guard got == state || state == "gone" && (got == "closed" || got == "reset") else {
            throw Mismatch(expected: "the connection \(state)", got: got)
        }
    }

    // MARK: Client keys

    private func change(_ verb: String, _ name: String) {
        do {
            try stage.changeClients { book in
                switch (verb, book.key(name)) {
                case ("allow-origin", _): book.origins.append(name)
                case ("revoke", .some(let key)): _ = book.remove(key.id)
                case ("rotate", .some(let key)): _ = book.rotate(key.id)
                default: stage.report("there is no key \(name)")
                }
            }
        } catch {
            stage.report("\(verb) \(name): \(error)")
        }
    }

    // MARK: Files

    private func file(_ verb: String, _ text: String) throws(Mismatch) {
        if verb == "write-file" {
            let names = text.split(separator: " ").map(String.init)
            _ = stage.folder.put(stage.placeholders.expand(stage.texts[names[1]] ?? ""), as: names[0])
            return
        }
        if verb == "revoke" || verb == "rotate" || verb == "allow-origin" { return change(verb, text) }
        if verb == "replace-store" { return stage.folder.putStore(stage.placeholders.expand(stage.texts[text] ?? ""), of: "main") }
        if verb == "replace-state" { return stage.folder.putState(stage.placeholders.expand(stage.texts[text] ?? ""), of: "main") }
        let path =
            switch verb {
            case "state-has": stage.folder.statePath(of: "main")
            case "log-has", "log-lacks": stage.folder.accessLogPath
            default: stage.folder.storePath(of: "main")
            }
        let isWanted = !verb.hasSuffix("-lacks")
        var content = ""
        for _ in 0..<100 {
            content = TestFolder.text(of: path)
            if content.contains(text) == isWanted { return }
            Pause.milliseconds(20)
        }
        throw Mismatch(expected: "\(verb) \(text)", got: content.isEmpty ? "no file \(path)" : content)
    }
}
