import Digest
public import Files
import JSON

/// The journal of one profile's refreshes: a preallocated file of 64 KiB in which nothing can fail for want of space. It holds the
/// intent to spend a refresh token and then the raw answer, each under a checksum, so that after a crash it is known what was sent
/// and what came back (DESIGN §7, steps 4-9).
/// ```
///      0  "KBINTENT"  length:4  payload (JSON)  SHA-256 of the payload
///   4096  "KBANSWER"  length:4  SHA-256 of the rest  attempt:16  received:8  status:4  body
/// ```
/// Numbers are little-endian. The intent names the token by fingerprint; the answer holds secrets until it is zeroed.
public struct RefreshJournal: ~Copyable {
    /// The size of the file.
    public static let size = 64 << 10
    /// The largest body that fits.
    public static let bodyLimit = size - answerOffset - answerHeaderSize

    private let file: JournalFile

    /// Opens the journal at `path`, making and preallocating it if need be. Success proves that it can be written.
    public init(path: String) throws(FileError) {
        file = try JournalFile(open: path, size: Self.size)
    }

    /// The last intent, open or closed; nil when there is none. An intent with a wrong checksum counts as none: it was cut while being
    /// written, and nothing is sent before it is synced.
    public func lastIntent() throws(FileError) -> RefreshIntent? {
        let block = try file.read(at: 0, count: Self.answerOffset)
        guard block.starts(with: Self.intentMagic), let length = block.integer(at: 8, UInt32.self).map(Int.init) else { return nil }
        guard 12 + length + SHA256.byteCount <= block.count else { return nil }
        let payload = Array(block[12..<12 + length])
        guard Array(block[12 + length..<12 + length + SHA256.byteCount]) == SHA256.hash(payload) else { return nil }
        return (try? Reader.parse(payload)).flatMap { RefreshIntent($0) }
    }

    /// The answer to `intent`; nil when none was journalled whole.
    public func answer(to intent: RefreshIntent) throws(FileError) -> JournalledAnswer? {
        var area = try file.read(at: Self.answerOffset, count: Self.size - Self.answerOffset)
        defer { Memory.cleanse(&area) }
        guard area.starts(with: Self.answerMagic), let length = area.integer(at: 8, UInt32.self).map(Int.init) else { return nil }
        guard length >= 28, 44 + length <= area.count else { return nil }
        var content = Array(area[44..<44 + length])
        defer { Memory.cleanse(&content) }
        guard Array(area[12..<44]) == SHA256.hash(content), Array(content[0..<16]) == intent.attempt else { return nil }
        guard let received = content.integer(at: 16, Int64.self), let status = content.integer(at: 24, UInt32.self) else { return nil }
        let body = SensitiveBytes(capacity: length - 28)
        body.append(content[28...])
        return JournalledAnswer(status: Int(status), receivedAt: received, body: body)
    }

    /// Writes `intent` as open and makes it durable.
    public func open(_ intent: RefreshIntent) throws(FileError) {
        try write(intent, isOpen: true)
        try file.sync()
    }

    /// Writes the raw answer to `intent` and makes it durable. False when it is too large to fit.
    public func record(_ answer: JournalledAnswer, to intent: RefreshIntent) throws(FileError) -> Bool {
        guard answer.body.count <= Self.bodyLimit else { return false }
        var record: [UInt8] = []
        // Reserved to its final size: growing would leave copies of the tokens behind in freed memory.
        record.reserveCapacity(Self.answerHeaderSize + answer.body.count)
        defer { Memory.cleanse(&record) }
        record += Self.answerMagic
        record.append(integer: UInt32(28 + answer.body.count))
        record += repeatElement(0, count: SHA256.byteCount)
        record += intent.attempt
        record.append(integer: answer.receivedAt)
        record.append(integer: UInt32(clamping: answer.status))
        record += answer.body.bytes
        var content = Array(record[44...])
        record.replaceSubrange(12..<44, with: SHA256.hash(content))
        Memory.cleanse(&content)
        try file.write(record, at: Self.answerOffset)
        try file.sync()
        return true
    }

    /// Zeroes the answer, marks `intent` closed, and makes both durable. In this order: cut in between, the intent is in doubt and the
    /// store, which already holds the outcome, settles it; the other way round, secrets would stay behind.
    public func close(_ intent: RefreshIntent) throws(FileError) {
        try file.zero(at: Self.answerOffset, count: Self.size - Self.answerOffset)
        try write(intent, isOpen: false)
        try file.sync()
    }

    /// Zeroes everything.
    public func erase() throws(FileError) {
        try file.zero(at: 0, count: Self.size)
        try file.sync()
    }

    private func write(_ intent: RefreshIntent, isOpen: Bool) throws(FileError) {
        let payload = Writer.compact(intent.value(isOpen: isOpen))
        var block = Self.intentMagic
        block.append(integer: UInt32(payload.count))
        block += payload
        block += SHA256.hash(payload)
        // A profile id of 256 octets, all of them escaped, still leaves the block half empty.
        precondition(block.count <= Self.answerOffset)
        try file.write(block, at: 0)
    }

    private static let intentMagic = Array("KBINTENT".utf8)
    private static let answerMagic = Array("KBANSWER".utf8)
    private static let answerOffset = 4096
    private static let answerHeaderSize = 44 + 28
}

/// A whole answer of a token endpoint as it is journalled.
public struct JournalledAnswer {
    /// The HTTP status.
    public let status: Int
    /// When it had arrived, in ms since 1970: what `expires_in` counts from, also when it is read after a crash.
    public let receivedAt: Int64
    /// The raw body; it holds secrets.
    public let body: SensitiveBytes

    /// An answer from its parts.
    public init(status: Int, receivedAt: Int64, body: SensitiveBytes) {
        self.status = status
        self.receivedAt = receivedAt
        self.body = body
    }
}

extension [UInt8] {
    mutating func append(integer: some FixedWidthInteger) {
        for shift in stride(from: 0, to: integer.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: integer >> shift)) }
    }

    func integer<Integer: FixedWidthInteger>(at offset: Int, _ type: Integer.Type) -> Integer? {
        let size = Integer.bitWidth / 8
        guard offset + size <= count else { return nil }
        return self[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Integer($1) }
    }
}
