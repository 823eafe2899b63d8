/// The requests and answers of one connection, one after the other.
struct Dialogue {
    /// What becomes of the connection after an answer.
    private enum Next {
        case another
        /// Ended in an orderly way.
        case finish
        /// Ended without TLS's close_notify: the client must see that something is missing, or has gone itself.
        case breakOff
    }

    let router: Router

    /// Runs until either side ends it; true when it may be ended in an orderly way.
    func run(_ stream: inout ClientStream) -> Bool {
        var reader = RequestReader()
        var next = Next.another
        while next == .another {
            switch reader.next(&stream) {
            case .ended: next = .finish
            case .malformed(let status, let message): next = refuse(status, message, stream)
            case .request(let request, let keepAlive, let isHTTP10):
                next = answer(request, keepAlive: keepAlive, isHTTP10: isHTTP10, stream)
            }
        }
        return next == .finish
    }

    private func answer(_ request: Request, keepAlive: Bool, isHTTP10: Bool, _ stream: borrowing ClientStream) -> Next {
        var reply = router.reply(to: request)
        var writer = ResponseWriter(isHead: request.method == "HEAD", isHTTP10: isHTTP10, keepAlive: keepAlive, fault: reply.fault)
        let isWaiting = stream.pause(reply.delay)
        if reply.fault == .drop || reply.fault == .commitThenClose { reply.entry.status = 0 }
        // Before the answer, so that a client which has the answer finds its request in the audit.
        let number = reply.isAudited ? router.records.with { [entry = reply.entry] state, _ in state.audit.record(entry) } : nil
        switch isWaiting ? writer.write(reply.response, to: stream) : .aborted {
        case .complete(let isReusable): return isReusable ? .another : .finish
        case .brokenOff: return .breakOff
        case .aborted:
            if let number { router.records.with { state, _ in state.audit.markAborted(number) } }
            return .breakOff
        }
    }

    /// Answers what could not be read as a request; the connection has no defined position any more.
    private func refuse(_ status: Int, _ message: String, _ stream: borrowing ClientStream) -> Next {
        router.records.with { state, _ in
            state.audit.refused += 1
            state.audit.refusals["malformed", default: 0] += 1
        }
        var writer = ResponseWriter(isHead: false, isHTTP10: false, keepAlive: false, fault: nil)
        return writer.write(.text(message + "\n", status: status), to: stream) == .aborted ? .breakOff : .finish
    }
}
