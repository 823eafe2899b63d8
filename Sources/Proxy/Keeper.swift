internal import Credentials
internal import Files
internal import OAuth
internal import Sockets

/// Watches the store's folders, refreshes ahead what is in use, and writes down what is remembered: the thread that keeps the board true.
struct Keeper: Sendable {
    let board: CredentialBoard
    let refreshes: RefreshDesk
    let affinities: Affinities
    let desk: SetupDesk
    let ledger: ClientLedger
    /// Where the file of client keys is.
    let clientFolder: String?
    let awake: Awake
    let stop: Mailbox<Void>
    let log: EventLog

    /// How long several changes in a row are gathered before the files are read.
    private static let settleMilliseconds: Int32 = 20
    private static let checkInterval = Duration.seconds(30)
    /// How long news of profiles are gathered before they are written.
    static let gatherMilliseconds: Int64 = 250
    /// How often it is written when profiles were used last, and what their quotas are, if there is nothing else to write.
    private static let useInterval: Int64 = 300_000

    /// Runs until told to stop.
    func run() {
        refreshes.recover(board.refreshable)
        let watch = DirectoryWatch(board.directories + (clientFolder.map { [$0] } ?? []))
        // What changed between the first reading and the watch was reported to nobody.
        board.reload()
        desk.takeClients()
        let poller = Poller()
        let bell = board.standings.bell
        for descriptor in [stop.descriptor, bell.descriptor] { poller.add(descriptor, .read) }
        if watch.descriptor >= 0 { poller.add(watch.descriptor, .read) }
        var lastUsed: [ProfileKey: Int64] = [:]
        var seen: [String: StoreIdentity] = [:]
        var nextCheck: Int64 = 0
        var writeAt = Int64.max
        var nextUse = Clock.wall() + Self.useInterval
        while true {
            // Where inotify sees nothing (a network file system, a folder not made yet) the files' identities are compared every second.
            let isBlind = watch.descriptor < 0 || watch.isPolling
            let idle = isBlind ? 1_000 : Self.checkInterval.milliseconds
            let count = poller.wait(milliseconds: Int32(max(0, min(idle, writeAt == .max ? idle : writeAt - Clock.wall()))))
            var hasChange = count == 0
            for event in 0..<count {
                switch poller.descriptor(at: event) {
                case stop.descriptor: return
                case bell.descriptor:
                    _ = bell.collect()
                    writeAt = min(writeAt, Clock.wall() + Self.gatherMilliseconds)
                default: hasChange = true
                }
            }
            if hasChange { read(watch, &seen, settle: count > 0, forNews: count > 0 && Clock.wall() < nextCheck) }
            let now = Clock.wall()
            if now >= writeAt || now >= nextUse {
                board.writeUsage(&seen, all: now >= nextUse)
                if now >= nextUse { nextUse = now + Self.useInterval }
                writeAt = .max
            }
            guard count == 0 || now >= nextCheck else { continue }
            nextCheck = now + Self.checkInterval.milliseconds
            board.endPrevious()
            if let failure = affinities.save(now: now) { log.sessionsUnsaved(failure) }
            ledger.save(now: now)
            for candidate in board.dueForRefresh(lastUsed: &lastUsed, now: now) {
                refreshes.ask(candidate, cause: .early(holding: candidate.fingerprint), replyTo: nil)
            }
            // What is looked at every second would only be mapped again.
            if !isBlind { awake.didOtherWork() }
        }
    }

    private func read(_ watch: borrowing DirectoryWatch, _ seen: inout [String: StoreIdentity], settle: Bool, forNews: Bool) {
        if settle { Pause.milliseconds(Self.settleMilliseconds) }
        _ = watch.wait(timeout: Duration.zero)
        desk.takeClients()
        // A refresh of ours is in force before its file tells of it.
        board.reload(forNews: forNews)
        board.readUsage(&seen, now: Clock.wall())
        for directory in board.directories { watch.add(directory) }
    }
}
