internal import Children
internal import Configuration
internal import Credentials
internal import Sockets
internal import Synchronization
internal import TLS

/// Puts other settings, or other client keys, in force: one change at a time, for all workers at once.
final class SetupDesk: Sendable {
    private struct State {
        /// Names the content that is in force; empty: there is no file.
        var digest: String
        var problem: String?
    }
    private let board: CredentialBoard
    private let workers: [Mailbox<Message>]
    private let runner: Runner?
    private let path: String?
    private let log: EventLog
    private let changing = Mutex(())
    private let state: Mutex<State>

    /// - Parameter path: the file of client keys; nil: there are none.
    init(
        _ board: CredentialBoard, workers: [Mailbox<Message>], runner: Runner?, clients path: String?, book: ClientBook, log: EventLog
    ) {
        self.board = board
        self.workers = workers
        self.runner = runner
        self.path = path
        self.log = log
        state = Mutex(State(digest: Self.digest(book)))
    }

    private static func digest(_ book: ClientBook) -> String { book.isStored ? book.digest : "" }

    func takeSettings(_ settings: Settings, _ anchors: TrustAnchors, environmentKeys: [EnvironmentKey]) {
        changing.withLock { _ in
            let before = board.setup
            let programs = settings.secrets == before.settings.secrets ? nil : runner.map { SecretPrograms(settings.secrets, $0) }
            board.adopt(before.with(settings, anchors), environmentKeys: environmentKeys, programs: programs)
            tell()
        }
    }

    /// Reads the client keys, if they have changed. A file that cannot be read changes nothing: nobody gets in by it, and a key that was
    /// good stays so.
    func takeClients() {
        guard let path else { return }
        changing.withLock { _ in
            do throws(ClientBookError) {
                let book = try ClientBook.read(path)
                let digest = Self.digest(book)
                guard state.withLock({ $0.digest }) != digest else { return }
                board.adopt(board.setup.with(book), environmentKeys: nil, programs: nil)
                tell()
                state.withLock { $0 = State(digest: digest) }
                log.clientsTaken(book.keys.count, book.origins.count)
            } catch {
                let isNew = state.withLock { state in
                    defer { state.problem = error.description }
                    return state.problem != error.description
                }
                if isNew { log.clientsRefused(error.description) }
            }
        }
    }

    private func tell() {
        for worker in workers { worker.post(.news) }
    }

    /// For `/-/status`: which content of the file is in force, and why the newest is not.
    var clients: (digest: String, problem: String?) { state.withLock { ($0.digest, $0.problem) } }
}
