internal import HTTP
internal import JSON
internal import Sockets

/// What is read of a JSON body before a profile is chosen: the model it asks for, and the names of things that belong to one account.
///
///     none ──JSON, to be chosen for──▶ holding ──all that may decide is known──▶ watching ──the object's end──▶ none
///                                        └──the body's end, its limit, no room──▶ none
struct BodyLook: ~Copyable {
    enum Stage { case none, holding, watching }
    private struct Scanners: BitwiseCopyable {
        var scanner: MemberScanner
        /// For a policy that limits models: whether more than one is asked for.
        var further: MemberScanner
    }
    private(set) var stage = Stage.none
    private var scanners: Pooled<Scanners>
    /// A body that is coded can only be looked into as a whole.
    private(set) var coding = ContentCoding.identity
    /// A session may be named in the body, or something that is kept: then the first model found does not decide yet.
    private var readsToTheEnd = false
    private var looksFurther = false

    /// Places in `Wanted.top`.
    static var model: Int { 0 }
    static var promptCacheKey: Int { 1 }
    static var kept: Range<Int> { 2..<5 }

    init(pool: BufferPool) { scanners = Pooled(pool: pool) }

    /// What is known of a member that is looked for, by its place.
    subscript(index: Int) -> MemberScanner.Found { scanners.isHeld ? scanners.value.scanner[index] : MemberScanner.nothing }
    /// Files that the body refers to.
    var referenceCount: Int { scanners.isHeld ? scanners.value.scanner.referenceCount : 0 }
    /// Where the name of one of them stands.
    func reference(_ index: Int) -> Range<Int> { scanners.value.scanner.references[index].range }

    /// `references`: the name under which files are referred to, anywhere in the body; empty when none can be known.
    private static func wanted(references: StaticString) -> MemberScanner.Wanted {
        MemberScanner.Wanted(
            top: ["model", "prompt_cache_key", "previous_response_id", "conversation", "input_file_id"], inside: "id", anywhere: references)
    }

    /// The body is held from its first byte on.
    ///
    /// - Parameters:
    ///   - readsKey: whether `prompt_cache_key` names the session.
    ///   - readsKept: whether things are known that a body may refer to.
    ///   - limitsModels: whether all of the body has to be read, since a policy limits what it may ask for.
    mutating func begin(coding: ContentCoding, readsKey: Bool, readsKept: Bool, limitsModels: Bool = false) {
        stage = .holding
        self.coding = coding
        readsToTheEnd = readsKey || readsKept || limitsModels
        looksFurther = limitsModels
        scanners.hold(
            Scanners(
                scanner: MemberScanner(Self.wanted(references: readsKept ? "file_id" : "")),
                further: MemberScanner(MemberScanner.Wanted(top: ["models", "fallbacks", "fallback_models", "requests", ""]))))
    }

    /// Nothing that was read is needed any more.
    mutating func end() {
        stage = .none
        coding = .identity
        scanners.release()
    }

    var isCoded: Bool { coding != .identity }

    /// Reads on. While watching, `hasTwoModels` is what to ask for afterwards.
    mutating func feed(_ run: RawSpan) {
        guard scanners.isHeld else { return }
        scanners.value.scanner.feed(run)
        if looksFurther { scanners.value.further.feed(run) }
        if stage == .watching, scanners.value.scanner.isOver { stage = .none }
    }

    /// A provider may take another model than the one that `model` names, by a list beside it (OpenRouter's `models`, batches' `requests`).
    var namesFurtherModels: Bool { scanners.isHeld && (0..<4).contains { scanners.value.further[$0].times > 0 } }

    /// Whether the rest of the body cannot change the choice any more.
    var isDecided: Bool {
        guard !isCoded else { return false }
        return scanners.value.scanner.isOver || (!readsToTheEnd && self[Self.model].isString)
    }

    /// Providers differ in which one they take (RFC 8259 §4), so that neither may decide who pays.
    var hasTwoModels: Bool { self[Self.model].times > 1 }

    /// The body is no longer held. A second model may still come.
    mutating func release(isComplete: Bool) {
        let mayWatch = !isComplete && !isCoded && scanners.isHeld && !scanners.value.scanner.isOver && self[Self.model].times > 0
        stage = mayWatch ? .watching : .none
        if !mayWatch { scanners.release() }
    }
}

/// Whether a field's value names JSON (RFC 8259 §11, RFC 6839 §3.1).
enum MediaType {
    static func isJSON(_ bytes: RawSpan, _ value: Range<Int>) -> Bool {
        let type = withoutParameters(bytes, value)
        if FieldText.equals(bytes, type, json) { return true }
        return type.count > suffix.count && FieldText.equals(bytes, type.upperBound - suffix.count..<type.upperBound, suffix)
    }

    static func isEventStream(_ bytes: RawSpan, _ value: Range<Int>) -> Bool {
        FieldText.equals(bytes, withoutParameters(bytes, value), eventStream)
    }

    private static func withoutParameters(_ bytes: RawSpan, _ value: Range<Int>) -> Range<Int> {
        var end = value.lowerBound
        while end < value.upperBound, FieldText.byte(bytes, end) != UInt8(ascii: ";"), FieldText.byte(bytes, end) != 0x20 { end += 1 }
        return value.lowerBound..<end
    }

    private static let json = Array("application/json".utf8)
    private static let suffix = Array("+json".utf8)
    private static let eventStream = Array("text/event-stream".utf8)
}
