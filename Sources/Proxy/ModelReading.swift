internal import Configuration
internal import HTTP
internal import JSON
internal import Routing
internal import Sockets

/// What a request's model says about the profile.
enum ModelWish {
    case none
    /// `@auto`.
    case auto
    case profile(Candidate)
    /// The request has been refused.
    case refused
}

/// The bytes that a request's head must say otherwise than the client did, because its model was rewritten.
struct RequestEdit {
    /// By how much the body has become longer.
    var lengthChange = 0
    /// The body is no longer coded as the client's `Content-Encoding` says.
    var dropsCoding = false
    /// What to put in the place of a part of the target.
    var target: (range: Range<Int>, text: [UInt8])?
}

// MARK: - The model: in the body, or in the path

extension Worker {
    /// Reads the model, and cuts out of it what is meant for us: a profile behind `@`, an alias. Every other byte stays.
    mutating func readModel(_ id: Int32) -> ModelWish {
        guard exchanges[id].setup.settings.providers[exchanges[id].provider].needsCredential else { return .none }
        if exchanges[id].look.hasTwoModels {
            refuse(id, .twoModels)
            return .refused
        }
        let found = exchanges[id].look[BodyLook.model]
        return found.isString ? modelInBody(id, found) : modelInPath(id)
    }

    /// The held body, decoded if it was coded. Valid until it is changed.
    func heldText(_ id: Int32) -> UnsafeRawBufferPointer {
        unsafe exchanges[id].decoded.isEmpty ? exchanges[id].replay.bytes.bytes : exchanges[id].decoded.bytes
    }

    private mutating func modelInBody(_ id: Int32, _ found: MemberScanner.Found) -> ModelWish {
        let held = unsafe RawSpan(_unsafeBytes: heldText(id))
        let text = unsafe held._unsafeView(as: UInt8.self)
        var wish = ModelWish.none
        var name = found.range
        if let at = Self.atSign(found, in: text), let suffix = StringContent.text(of: at.upperBound..<found.end, in: text) {
            wish = meaning(id, of: suffix)
            switch wish {
            case .refused: return wish
            case .none: break
            case .auto, .profile: name = found.start..<at.lowerBound
            }
        }
        let alias = exchanges[id].setup.aliases.target(of: name, in: text)
        note(id, model: name, in: text, alias)
        if let alias {
            edit(id, found.range, alias.json)
        } else if name.upperBound < found.end {
            edit(id, name.upperBound..<found.end, [])
        }
        return wish
    }

    /// The first `@` that does not lead the name; it may be escaped.
    private static func atSign(_ found: MemberScanner.Found, in text: Span<UInt8>) -> Range<Int>? {
        guard found.isEscaped else {
            var at = found.start + 1
            while at < found.end, text[at] != UInt8(ascii: "@") { at += 1 }
            return at < found.end ? at..<at + 1 : nil
        }
        var units = StringContent(found.range)
        _ = units.next(in: text)
        while let unit = units.next(in: text) {
            if unit.value == UInt16(UInt8(ascii: "@")) { return unit.range }
        }
        return nil
    }

    private mutating func modelInPath(_ id: Int32) -> ModelWish {
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        let target = unsafe bytes.extracting(exchanges[id].head.target)._unsafeView(as: UInt8.self)
        let hasMethod = !exchanges[id].head.method.mayBeRepeated
        guard let path = ModelPath.find(in: target, from: exchanges[id].restStart, hasMethod: hasMethod) else { return .none }
        let whole = path.model.lowerBound..<(path.suffix ?? path.model).upperBound
        var wish = ModelWish.none
        var name = path.suffix == nil ? path.model : whole
        if let profile = path.profile, let suffix = PercentText.decode(target.extracting(profile)) {
            wish = meaning(id, of: suffix)
            switch wish {
            case .refused: return wish
            case .none: break
            case .auto, .profile: name = path.model
            }
        }
        let alias = exchanges[id].setup.aliases.target(of: name, in: target)
        note(id, model: name, in: target, alias)
        if let alias {
            exchanges[id].edit.target = (whole, alias.path)
        } else if name.upperBound < whole.upperBound {
            exchanges[id].edit.target = (name.upperBound..<whole.upperBound, [])
        }
        return wish
    }

    /// What is written behind a model's `@`; refuses a profile that is not there.
    private mutating func meaning(_ id: Int32, of suffix: String) -> ModelWish {
        guard let lineup = exchanges[id].lineup else { return .none }
        let providers = exchanges[id].setup.settings.providers
        switch ModelSuffix.read(
            suffix, isProfile: { lineup.named($0) != nil },
            isProvider: { name in providers.contains { $0.id == name || $0.credentialsFrom == name } })
        {
        case .none: return .none
        case .auto: return .auto
        case .profile(let name):
            if let candidate = lineup.named(name) { return .profile(candidate) }
            if let policy = exchanges[id].key, !policy.profiles.isEmpty {
                refuse(id, Self.outside(policy, "profiles", "\(name.prefix(80)) is not one of them"))
                return .refused
            }
            refuse(id, Refusal(.unknownProfile, naming: name, profile: name, candidates: lineup.explanation))
            return .refused
        }
    }

    /// Remembers the model as it goes upstream: for cooldowns, which may be a model's own, and for the access log.
    private mutating func note(_ id: Int32, model range: Range<Int>, in text: Span<UInt8>, _ alias: ModelAliases.Target?) {
        if let alias { return exchanges[id].noteModel(alias.name.span, 0..<alias.name.count) }
        exchanges[id].noteModel(text, range)
    }

    // MARK: Changes

    /// Puts `text` in the place of a part of the held body. A coded body is sent decoded from now on, since we do not code.
    private mutating func edit(_ id: Int32, _ range: Range<Int>, _ text: [UInt8]) {
        let before = exchanges[id].replay.bytes.count
        if exchanges[id].decoded.isEmpty {
            exchanges[id].replay.replace(range, with: text)
        } else {
            exchanges[id].decoded.replace(range, with: text)
            exchanges[id].takeDecoded()
            exchanges[id].edit.dropsCoding = true
        }
        let change = exchanges[id].replay.bytes.count - before
        replayBytes += change
        exchanges[id].edit.lengthChange += change
    }
}

extension Exchange {
    /// The body as it was decoded is what is sent.
    mutating func takeDecoded() { replay.take(&decoded) }

    mutating func noteModel(_ text: Span<UInt8>, _ range: Range<Int>) {
        modelKey = ModelKey.of(text.extracting(range))
        model = ModelText(text, range)
    }
}

/// The beginning of a model's name, for the access log.
struct ModelText {
    private static var capacity: Int { 80 }
    private var bytes = InlineArray<80, UInt8>(repeating: 0)
    private(set) var count = 0

    init() {}

    /// Whatever could not stand in a JSON string as it is becomes `?`.
    init(_ text: Span<UInt8>, _ range: Range<Int>) {
        for at in range.prefix(Self.capacity) {
            let byte = text[at]
            let isPlain = byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            bytes[count] = isPlain ? byte : UInt8(ascii: "?")
            count += 1
        }
    }

    /// The name, if all of it is here as it was written: the one that has this key. For rare paths.
    func name(of key: UInt64) -> String {
        let name = String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self)
        return ModelKey.of(name) == key ? name : ""
    }

    /// As far as it is here.
    func begins(with text: [UInt8]) -> Bool {
        let length = min(text.count, Self.capacity)
        guard length <= count else { return false }
        for at in 0..<length where bytes[at] != text[at] { return false }
        return true
    }

    func append(to lines: inout ByteQueue) {
        for at in 0..<count { lines.append(byte: bytes[at]) }
    }
}
