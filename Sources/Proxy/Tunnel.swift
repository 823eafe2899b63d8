internal import HTTP
internal import Sockets

// MARK: - After a 101: bytes both ways, unread, until one side ends

/// A tunnel is an exchange whose two bodies end with the connection: back-pressure, counting and the ends are those of any other.
extension Worker {
    /// Whether the exchange's connections speak another protocol than HTTP by now.
    func isTunnel(_ id: Int32) -> Bool { exchanges[id].wantsWebSocket && exchanges[id].stage == .responding && exchanges[id].status == 101 }

    /// The provider has agreed to what the client asked: its answer goes down, and what the client sent early goes up.
    mutating func openTunnel(_ id: Int32, _ head: RawSpan) {
        let fd = exchanges[id].upstream
        deliverHead(id, head)
        exchanges[id].answer.begin(.untilClose)
        exchanges[id].request.begin(.untilClose)
        exchanges[id].answerEndsConnection = true
        downstreams[exchanges[id].downstream].readDeadline = .max
        flushDownstream(exchanges[id].downstream)
        flushSoon(fd)
    }

    /// The client sends no more. Its last frames go up before the provider's connection is closed.
    mutating func clientEndedTunnel(_ client: Int32) {
        let id = downstreams[client].exchange
        let fd = exchanges[id].upstream
        guard fd >= 0, upstreams[fd].waiting > 0 || !downstreams[client].inbound.isEmpty else { return abandon(client) }
        downstreams[client].stage = .ended
        downstreams[client].readDeadline = now + timeouts.streamStall
        updateInterest(ofDownstream: client)
        flushSoon(fd)
    }

    /// Everything that the client sent has gone up: the provider is let go.
    mutating func tunnelDrained(_ client: Int32) {
        guard downstreams[client].stage == .ended, downstreams[client].inbound.isEmpty else { return }
        abandon(client)
    }
}
