internal import Files
internal import OAuth
internal import Sockets

/// Watches the store's folders, and refreshes ahead what is in use: the thread that keeps the board true.
struct Keeper: Sendable {
    let board: CredentialBoard
    let refreshes: RefreshDesk
    let stop: Mailbox<Void>
    let log: EventLog

    /// How long several changes in a row are gathered before the files are read.
    private static let settleMilliseconds: Int32 = 20
    private static let checkInterval = Duration.seconds(30)

    /// Runs until told to stop.
    func run() {
        refreshes.recover(board.refreshable)
        let watch = DirectoryWatch(board.directories)
        // What changed between the first reading and the watch was reported to nobody.
        board.reload()
        let poller = Poller()
        poller.add(stop.descriptor, .read)
        if watch.descriptor >= 0 { poller.add(watch.descriptor, .read) }
        var lastUsed: [ProfileKey: Int64] = [:]
        var nextCheck: Int64 = 0
        while true {
            // Where inotify sees nothing (a network file system, a folder not made yet) the files' identities are compared every second.
            let isBlind = watch.descriptor < 0 || watch.isPolling
            let count = poller.wait(milliseconds: isBlind ? 1_000 : Int32(Self.checkInterval.milliseconds))
            for event in 0..<count where poller.descriptor(at: event) == stop.descriptor { return }
            if count > 0 { Pause.milliseconds(Self.settleMilliseconds) }
            _ = watch.wait(timeout: Duration.zero)
            board.reload()
            for directory in board.directories { watch.add(directory) }
            let now = Clock.wall()
            guard count == 0 || now >= nextCheck else { continue }
            nextCheck = now + Self.checkInterval.milliseconds
            for candidate in board.dueForRefresh(lastUsed: &lastUsed, now: now) {
                refreshes.ask(candidate, cause: .early(holding: candidate.fingerprint), replyTo: nil)
            }
        }
    }
}
