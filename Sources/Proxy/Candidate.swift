internal import Configuration
internal import Credentials
internal import Digest
internal import HTTP
internal import OAuth
internal import Sockets
internal import Synchronization

/// Names a profile of an agent.
struct ProfileKey: Sendable, Hashable {
    let agentID: String
    let profileID: String
}

/// A profile made ready for one provider: the very bytes to be put on a request, and until when they are good.
///
/// Immutable, shared by all workers; made anew when the store changes, wiped when the last exchange has let go of it.
final class Candidate: Sendable {
    /// What can be done with it now.
    enum Readiness: Equatable {
        case ready
        /// Good, and near its end: to be refreshed in the background.
        case early
        /// Must be refreshed, or asked for, before it is used.
        case expired
        case unusable(Eligibility)
    }

    let key: ProfileKey
    /// The profile's id, percent-encoded as it is sent in a field.
    let encodedID: [UInt8]
    /// Same provider, same profile: same number, for as long as the process lives.
    let poolKey: Int
    /// Same profile, same host, trusted and reached in the same way: same number. Idle connections are kept by it.
    let connectionKey: Int
    /// How its connections leave this machine.
    let way: OutboundRoute
    /// The provider where this login says that its requests go; nil: where all of the provider's do.
    let moved: Provider?
    let billing: Billing
    /// Where `Standings` keeps how it fares.
    let slot: Int32
    /// It is metered, and a subscription stands before it in the order: it serves only with leave.
    let followsSubscription: Bool
    /// Set when the profile cannot serve at all.
    let eligibility: Eligibility
    /// How to refresh it; nil for what cannot be.
    let client: OAuthClient?
    /// How the token that requests carry is had for it; nil: they carry it itself.
    let issuance: Issuance?
    /// Its secret is had from elsewhere, and can be asked for again.
    let isReference: Bool
    /// That has not been done yet: there is nothing to put on a request.
    private let awaitsProgram: Bool
    /// Where it is read from when it is another program's login: in place of a refresh, that is read again.
    let overlay: Overlay?
    /// Names the access token's generation, so that a refresh after a 401 is asked for that one only.
    let fingerprint: String
    private let expires: Int64?
    /// When this token was issued, if that is known, and what keeps several processes from refreshing at the same instant.
    private let since: Int64?
    private let jitter: Double
    /// Set by the workers, read and cleared by the board, which refreshes ahead only what is in use.
    let wasUsed = Atomic(false)
    /// What must not come back in a provider's answer: what requests carry, what that was minted of, and what renews it.
    let secrets: [Secret]
    /// The length of the shortest of them.
    let shortestSecret: Int
    /// Whether we have tokens for it made. Kept, since to look at `client` is to copy it.
    private let isRenewable: Bool
    private let merges: [FieldMerge]
    private let replaced: [[UInt8]]
    private let lines: SecretLines

    init(
        key: ProfileKey, encodedID: [UInt8], poolKey: Int, connectionKey: Int, way: OutboundRoute, moved: Provider? = nil, billing: Billing,
        slot: Int32,
        followsSubscription: Bool,
        eligibility: Eligibility, client: OAuthClient?, issuance: Issuance? = nil, isReference: Bool = false, awaitsProgram: Bool = false,
        overlay: Overlay? = nil,
        fingerprint: String,
        expires: Int64?, since: Int64?, jitter: Double, merges: [FieldMerge], replaced: [[UInt8]], lines: SecretLines,
        secrets: [Secret] = []
    ) {
        self.key = key
        self.encodedID = encodedID
        self.poolKey = poolKey
        self.connectionKey = connectionKey
        self.way = way
        self.moved = moved
        self.billing = billing
        self.slot = slot
        self.followsSubscription = followsSubscription
        self.eligibility = eligibility
        self.client = client
        self.issuance = issuance
        self.isReference = isReference
        self.awaitsProgram = awaitsProgram
        self.overlay = overlay
        self.fingerprint = fingerprint
        self.expires = expires
        self.since = since
        self.jitter = jitter
        self.merges = merges
        self.replaced = replaced
        self.lines = lines
        self.secrets = secrets
        shortestSecret = secrets.map(\.count).min() ?? .max
        isRenewable = client != nil || issuance != nil
    }

    /// Whether a new token can be had without a person.
    var isRefreshable: Bool { (isRenewable || isReference || overlay != nil) && eligibility == .ok }

    /// `now`: milliseconds since 1970, as expiries are.
    func readiness(now: Int64) -> Readiness {
        guard eligibility == .ok else { return .unusable(eligibility) }
        if awaitsProgram { return .expired }
        guard let expires else { return lines.isEmpty && isRenewable ? .expired : .ready }
        guard isRenewable else { return now < expires ? .ready : overlay != nil ? .expired : .unusable(.expired) }
        switch RefreshWindow.state(expires: expires, issuedAt: since, now: now, jitter: jitter) {
        case .fresh: return .ready
        case .early: return .early
        case .expired: return .expired
        }
    }

    // MARK: On the head of a request

    /// Whether the client's field needs more than being copied.
    @inline(__always)
    func touches(_ field: FieldLine, of bytes: RawSpan) -> Bool {
        for merge in merges where merge.concerns(field, of: bytes) { return true }
        return replaces(field, of: bytes)
    }
    /// Whether the provider's data sets this field itself.
    @inline(__always)
    func replaces(_ field: FieldLine, of bytes: RawSpan) -> Bool {
        for name in replaced where FieldText.equals(bytes, field.nameRange, name) { return true }
        return false
    }
    func write(_ field: FieldLine, at index: Int, _ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) {
        for merge in merges where merge.concerns(field, of: bytes) { return merge.write(field, at: index, head, bytes, to: &output) }
    }
    func writeMissingMerges(_ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) {
        if merges.isEmpty { return }  // most: without looking, the list is retained for the loop
        for merge in merges { merge.writeIfAbsent(head, bytes, to: &output) }
    }
    @inline(__always)
    func writeCredential(to output: inout ByteQueue) { lines.append(to: &output) }
}

/// Header lines with a secret in them, wiped when they are let go.
@safe
final class SecretLines: Sendable {
    /// Written in `init` only.
    private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

    init(_ text: [UInt8]) {
        unsafe storage = .allocate(byteCount: text.count, alignment: 1)
        unsafe storage.copyBytes(from: text)
    }
    deinit {
        unsafe Memory.cleanse(storage)
        unsafe storage.deallocate()
    }
    var isEmpty: Bool { unsafe storage.isEmpty }
    @inline(__always)
    func append(to output: inout ByteQueue) { unsafe output.append(UnsafeRawBufferPointer(storage)) }
}
