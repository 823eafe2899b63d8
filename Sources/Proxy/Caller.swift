internal import Configuration
internal import Glibc
internal import Sockets

/// Who is at the other end of a client's connection, found out when it was accepted.
struct Caller: Sendable, Equatable {
    /// How it came in.
    enum Door: Sendable {
        case loopback, unixSocket
        /// Beyond this machine: whoever comes in needs a key.
        case network
    }

    let door: Door
    /// Nil: the kernel did not tell.
    let owner: SocketOwner?
    /// The agent in whose workspace it works (`WorkspaceDesk`); nil where nobody asked, or in none.
    var agent: String? = nil
    /// Its user has as many connections as one may have: it is told so, and no more.
    var isOneTooMany = false

    /// Under whom its connection is counted; those whom the kernel does not name count as one user.
    var countedUser: UInt32 { owner?.user ?? .max }
}

/// Which users of this machine are served (DESIGN §11): anyone who reaches the port spends the user's money.
struct CallerRule: Sendable {
    private let users: Set<UInt32>
    private let servesAnyone: Bool

    init(_ settings: ClientSettings, ownUser: UInt32 = geteuid()) {
        users = Set(settings.uids.compactMap { UInt32(exactly: $0) }).union([ownUser, 0])
        servesAnyone = settings.loopback == .any
        self.ownUser = ownUser
    }
    private let ownUser: UInt32

    /// Whether the caller may have requests forwarded without a client key.
    func admits(_ caller: Caller) -> Bool { refusal(of: caller.owner, at: caller.door, thereAreKeys: false) == nil }

    /// Why a caller without a client key is refused; nil when it may go on.
    ///
    /// `clients.loopback: "any"` stands for keys only as long as there are none: whoever hands out keys means them to be needed.
    func refusal(of owner: SocketOwner?, at door: Caller.Door, thereAreKeys: Bool) -> RefusalCode? {
        if door == .network { return .keyRequired }
        if let owner, owner.user == ownUser || users.contains(owner.user) { return nil }
        guard door == .loopback, servesAnyone else { return .callerRefused }
        return thereAreKeys ? .keyRequired : nil
    }

    /// Whether the caller may see and change what Keybearer keeps: our own user, or root, and nobody whom only the settings let in.
    func isOwn(_ caller: Caller) -> Bool {
        caller.door != .network && caller.owner.map { $0.user == ownUser || $0.user == 0 } ?? false
    }
}
