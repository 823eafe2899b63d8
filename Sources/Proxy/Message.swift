internal import Sockets
internal import TLS

/// What other threads tell a worker.
enum Message: Sendable {
    /// A client's connection, now the worker's to close, and what it is served with over TLS.
    case accepted(Int32, Caller, ListenerContext?)
    /// The addresses of a provider's host, by origin.
    case resolved(Int, Resolver.Outcome)
    case refreshed(ProfileKey, RefreshResult)
    /// Something was published that is not to wait for the next request.
    case news
    /// Finish what is under way, begin nothing.
    case drain
    /// Close everything now.
    case cut
}

/// How a refresh ended, for those who waited.
enum RefreshResult: Sendable, Equatable {
    /// The store has a newer token, ours or somebody else's.
    case renewed
    /// Not now: why, and after how many seconds to ask again.
    case failed(String, retryAfterSeconds: Int?)
    /// It is another program's login, and that program has not renewed it: why that matters, and what to do.
    case notRenewed(String)
    /// Only a person can help: why.
    case needsLogin(String)
}
