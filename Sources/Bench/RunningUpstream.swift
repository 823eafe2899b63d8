internal import Sockets

/// A stub upstream on a thread of its own, for as long as it is wanted.
struct RunningUpstream: ~Copyable {
    private enum Start: Sendable {
        case listening(SocketAddress)
        case failed(String)
    }
    /// Where it listens.
    let address: SocketAddress
    private let inbox: Mailbox<Upstream.Message>
    private let thread: Thread

    /// Starts it, and returns once it listens.
    static func start(_ setup: Upstream.Setup) throws -> RunningUpstream {
        let inbox = Mailbox<Upstream.Message>()
        let news = Mailbox<Start>()
        let thread = Thread(name: "kb-upstream") {
            do {
                var upstream = try Upstream.listen(setup, inbox: inbox)
                news.post(.listening(upstream.address))
                upstream.serve()
            } catch {
                news.post(.failed("\(error)"))
            }
        }
        let poller = Poller()
        poller.add(news.descriptor, .read)
        while true {
            _ = poller.wait(milliseconds: -1)
            switch news.collect().first {
            case .listening(let address): return RunningUpstream(address: address, inbox: inbox, thread: thread)
            case .failed(let reason):
                thread.join()
                throw BenchFailure.failed(reason)
            case nil: continue
            }
        }
    }

    private init(address: SocketAddress, inbox: Mailbox<Upstream.Message>, thread: consuming Thread) {
        self.address = address
        self.inbox = inbox
        self.thread = thread
    }

    /// Ends it, with all that is under way.
    consuming func stop() {
        inbox.post(.stop)
        thread.join()
    }
}
