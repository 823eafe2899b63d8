internal import Configuration
internal import HTTP
internal import Routing
internal import Sockets

// MARK: - Step 7, downwards: the answer

extension Worker {
    /// Bytes from a provider.
    mutating func feedUpstream(_ fd: Int32, _ bytes: RawSpan) {
        let id = upstreams[fd].exchange
        // Bytes that nobody asked for: the connection's position is not what we think it is.
        guard id >= 0 else { return buryUpstream(fd) }
        if upstreams[fd].inbound.isEmpty {
            let used = readAnswer(id, fd, bytes)
            if used < bytes.byteCount, upstreams[fd].stage == .active, upstreams[fd].exchange == id {
                upstreams[fd].inbound.append(bytes.extracting(used..<bytes.byteCount))
            }
            return
        }
        upstreams[fd].inbound.append(bytes)
        var held = ByteQueue(pool: pool)
        held.take(from: &upstreams[fd].inbound)
        let used = readAnswer(id, fd, unsafe RawSpan(_unsafeBytes: held.bytes))
        guard upstreams[fd].stage == .active, upstreams[fd].exchange == id else { return }
        held.consume(used)
        upstreams[fd].inbound.take(from: &held)
    }

    /// Heads, then the body; answers how many bytes were used. What is left is the beginning of a head.
    private mutating func readAnswer(_ id: Int32, _ fd: Int32, _ bytes: RawSpan) -> Int {
        var at = 0
        while exchanges[id].stage < .responding {
            let rest = bytes.extracting(at..<bytes.byteCount)
            let isHead = exchanges[id].head.method == .head
            switch unsafe rest.withUnsafeBytes({ unsafe exchanges[id].response.parse($0, requestMethodWasHead: isHead, limits: .init()) }) {
            case .incomplete: return at
            case .rejected(let rejection):
                settle(id, .invalidAnswer(rejection))
                return bytes.byteCount
            case .complete(let count):
                let head = rest.extracting(0..<count)
                if !exchanges[id].response.isInterim,
                    awaitsMore(id, fd, head: head, body: rest.extracting(count..<rest.byteCount))
                {
                    return at
                }
                at += count
                guard answerHead(id, fd, head) else { return bytes.byteCount }
            }
        }
        return relayAnswerBody(id, fd, bytes, from: at)
    }

    /// One head is here. False when this exchange or its connection is settled otherwise, and nothing more may be read for it.
    private mutating func answerHead(_ id: Int32, _ fd: Int32, _ head: RawSpan) -> Bool {
        if exchanges[id].response.status == 101 {
            let request = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
            guard exchanges[id].wantsWebSocket, WebSocket.accepts(exchanges[id].response, head, key: exchanges[id].head, request) else {
                // We asked for no upgrade (CVE-2026-2833), or for another one: whatever follows is not ours to relay.
                settle(id, .unaskedUpgrade)
                return false
            }
            accepted(id)
            openTunnel(id, head)
            return true
        }
        if exchanges[id].response.isInterim {
            exchanges[id].interimAnswers += 1
            guard exchanges[id].interimAnswers <= 8 else {
                settle(id, .tooManyInterim)
                return false
            }
            // 100 is between us and the provider: the client's own Expect is answered by us.
            if exchanges[id].response.status != 100, exchanges[id].head.version == .http11 { relayInterim(id, head) }
            return true
        }
        guard settle(id, answered: exchanges[id].response.status, head) else { return false }
        deliverHead(id, head)
        return true
    }

    private mutating func relayInterim(_ id: Int32, _ head: RawSpan) {
        let fd = exchanges[id].downstream
        writeStatusLine(id, head, to: fd)
        writeFields(id, head, to: fd)
        downstreams[fd].outbound.append("\r\n")
        sendHead(to: fd, isInterim: true)
        flushDownstream(fd)
    }

    /// The client may send its body: an interim answer of our own.
    mutating func sendContinue(to client: Int32) {
        downstreams[client].outbound.append(StatusLine.continue)
        sendHead(to: client, isInterim: true)
        flushDownstream(client)
    }

    /// The answer goes to the client: from here on nothing can be sent again.
    mutating func deliverHead(_ id: Int32, _ head: RawSpan) {
        let fd = exchanges[id].downstream
        exchanges[id].stage = .responding
        exchanges[id].status = exchanges[id].response.status
        exchanges[id].answeredAt = now
        upstreams[exchanges[id].upstream].deadline = .max  // a stream may be silent for as long as the provider likes
        exchanges[id].answer.begin(exchanges[id].response.framing)
        releaseReplay(id)
        learnFromHead(id, head)
        beginEchoMask(id, head)
        if exchanges[id].status < 400, exchanges[id].key?.meter.counts ?? false { exchanges[id].tokens.hold(TokenCount()) }
        writeStatusLine(id, head, to: fd)
        writeFields(id, head, to: fd)
        writeOwnFields(id, to: fd)
        if exchanges[id].response.isUpgrade {
            downstreams[fd].outbound.append("Connection: Upgrade\r\nUpgrade: websocket\r\n")
        } else {
            writeFraming(id, to: fd)
        }
        downstreams[fd].outbound.append("\r\n")
        sendHead(to: fd, ends: exchanges[id].answer.isComplete)
        holdLess(id)
    }

    /// A thousand requests may wait for their answers at a time, or for a connection: the field lines, which are of use again only where an
    /// answer tells of its request's, are given back; another attempt reads them anew.
    mutating func holdLessOfHead(_ id: Int32) {
        if !exchanges[id].allowsOrigin, !exchanges[id].wantsWebSocket { exchanges[id].head.releaseFields() }
    }

    /// An answer may go on for an hour: what was needed only to get there is given back.
    private mutating func holdLess(_ id: Int32) {
        exchanges[id].response.releaseFields()
        guard exchanges[id].request.isComplete else { return }
        exchanges[id].head.releaseFields()
        exchanges[id].look.end()
    }

    private mutating func writeStatusLine(_ id: Int32, _ head: RawSpan, to fd: Int32) {
        let start = downstreams[fd].outbound.count
        downstreams[fd].outbound.append("HTTP/1.1 ")
        downstreams[fd].outbound.append(decimal: exchanges[id].response.status)
        downstreams[fd].outbound.append(byte: 0x20)
        downstreams[fd].outbound.append(head.extracting(exchanges[id].response.reasonRange))
        downstreams[fd].outbound.append("\r\n")
        if mayHoldSecret(id, bytes: exchanges[id].response.reasonRange.count) { maskLines(id, of: fd, from: start) }
    }

    /// All fields of the provider's but those of its connection, those that look like ours, and those that tell a client of
    /// other places or other sites' rights: here, both are our business (RFC 7838; spec/threats.md §4).
    private mutating func writeFields(_ id: Int32, _ head: RawSpan, to fd: Int32) {
        let start = downstreams[fd].outbound.count
        var longest = 0
        for index in 0..<exchanges[id].response.fieldCount {
            let field = exchanges[id].response[index]
            if field.isNamedInConnection || field.name.isHopByHop || field.name.isKeybearer || Self.isOursToSay(field.name) { continue }
            downstreams[fd].outbound.append(field: field, of: head)
            longest = max(longest, field.nameRange.count, field.valueRange.count)
        }
        if mayHoldSecret(id, bytes: longest) { maskLines(id, of: fd, from: start) }
    }

    private static func isOursToSay(_ name: FieldName) -> Bool {
        name == .contentLength || name == .altSvc || name == .accessControl
    }

    private mutating func writeOwnFields(_ id: Int32, to fd: Int32) {
        if let candidate = exchanges[id].candidate {
            downstreams[fd].outbound.append("Keybearer-Profile: ")
            downstreams[fd].outbound.append(candidate.encodedID)
            downstreams[fd].outbound.append("\r\nKeybearer-Reason: ")
            downstreams[fd].outbound.append(exchanges[id].reason.text)
            downstreams[fd].outbound.append("\r\n")
            if exchanges[id].paidInsteadOf != nil || exchanges[id].refusalLook.meaning == .entitlement { writeAdvice(id, to: fd) }
        }
        if exchanges[id].allowsOrigin { downstreams[fd].outbound.append(text: crossOriginFields(id)) }
        // A browser that shows the answer must not take it for a page of ours, which could ask for more.
        if exchanges[id].head.contains(.secFetchSite) { downstreams[fd].outbound.append("Content-Security-Policy: sandbox\r\n") }
        downstreams[fd].outbound.append("Keybearer-Request-Id: ")
        downstreams[fd].outbound.append(requestID: exchanges[id].number)
        downstreams[fd].outbound.append("\r\n")
    }

    /// What the user should know of this answer: money was spent, or the account may not be used like this.
    private mutating func writeAdvice(_ id: Int32, to fd: Int32) {
        if let paid = exchanges[id].paidInsteadOf {
            downstreams[fd].outbound.append(text: "Keybearer-Paid-Fallback: \(paid)\r\n")
        }
        if exchanges[id].refusalLook.meaning == .entitlement,
            let advice = exchanges[id].setup.settings.providers[exchanges[id].provider].failover.entitlementAdvice
        {
            downstreams[fd].outbound.append(text: "Keybearer-Advice: \(advice)\r\n")
        }
    }

    /// How the client will know where the body ends (RFC 9112 §6.3), and whether the connection goes on.
    private mutating func writeFraming(_ id: Int32, to fd: Int32) {
        let modern = exchanges[id].head.version == .http11
        switch exchanges[id].response.framing {
        case .length(let count):
            downstreams[fd].outbound.append("Content-Length: ")
            downstreams[fd].outbound.append(decimal: count)
            downstreams[fd].outbound.append("\r\n")
        case .none:
            // HEAD and 304 may name the length that a GET would have had: that is information, not framing. 204 may not (RFC 9110 §8.6).
            if let length = exchanges[id].response.declaredLength, exchanges[id].response.status != 204 {
                downstreams[fd].outbound.append("Content-Length: ")
                downstreams[fd].outbound.append(decimal: length)
                downstreams[fd].outbound.append("\r\n")
            }
        case .chunked, .untilClose:
            if downstreams[fd].isStream {
                // The stream's end is the body's.
            } else if modern {
                exchanges[id].answerIsChunked = true
                downstreams[fd].outbound.append("Transfer-Encoding: chunked\r\n")
            } else {
                exchanges[id].answerEndsConnection = true
                downstreams[fd].endsByReset = true
            }
        }
        if downstreams[fd].isStream { return }
        if !mayKeepAlive(id) {
            exchanges[id].answerEndsConnection = true  // what is announced is done
            downstreams[fd].outbound.append("Connection: close\r\n")
        } else if !modern {
            downstreams[fd].outbound.append("Connection: keep-alive\r\n")
        }
    }

    /// Body bytes go on the moment they are read; one send for all that one receive brought.
    private mutating func relayAnswerBody(_ id: Int32, _ fd: Int32, _ bytes: RawSpan, from start: Int) -> Int {
        let client = exchanges[id].downstream
        var at = start
        while !exchanges[id].answer.isComplete {
            switch exchanges[id].answer.next(bytes, from: at) {
            case .data(let start, let count, let next):
                let run = bytes.extracting(start..<start + count)
                if exchanges[id].echo.isActive { writeMasked(id, run, to: client) } else { writeAnswerBody(id, run, to: client) }
                if exchanges[id].tokens.isHeld { exchanges[id].tokens.value.feed(run) }
                if exchanges[id].answerLook.isActive { learnFromBody(id, run) }
                at = next
            case .trailers(let start, let count, let next):
                exchanges[id].answerTrailers.append(bytes.extracting(start..<start + count))
                at = next
            case .ended(let next): at = next
            case .starved:
                flushClientSoon(client)
                return bytes.byteCount
            case .broken:
                dropUpstream(id)
                truncate(id)
                return bytes.byteCount
            }
        }
        if upstreams[fd].isStream, !upstreams[fd].stream.peerHasEnded {
            flushClientSoon(client)  // trailers may follow
            return bytes.byteCount
        }
        // Bytes after a complete answer: the connection is thrown away, its next answer could be anybody's (threats §5).
        finish(id, upstreamIsClean: at == bytes.byteCount)
        return bytes.byteCount
    }

    /// All of the answer's body has been handed over.
    mutating func endAnswer(_ id: Int32) {
        endEchoMask(id)
        maskTrailers(id)
        let client = exchanges[id].downstream
        if downstreams[client].isStream {
            downstreams[client].stream.ends = true
            unsafe downstreams[client].stream.trailers.append(exchanges[id].answerTrailers.bytes)
        } else if exchanges[id].answerIsChunked {
            unsafe downstreams[client].outbound.append(endOfChunks: exchanges[id].answerTrailers.bytes)
        }
    }

    /// `run` is not empty.
    mutating func writeAnswerBody(_ id: Int32, _ run: RawSpan, to fd: Int32) {
        guard exchanges[id].answerIsChunked else { return downstreams[fd].outbound.append(run) }
        downstreams[fd].outbound.append(chunkSize: run.byteCount)
        downstreams[fd].outbound.append(run)
        downstreams[fd].outbound.append("\r\n")
    }

    /// The provider's connection has ended.
    mutating func responseEnded(_ id: Int32, orderly: Bool) {
        guard exchanges[id].stage == .responding else { return settle(id, .noAnswer(timedOut: false)) }
        if orderly { exchanges[id].answer.endedWithConnection() }
        if exchanges[id].answer.isComplete { finish(id, upstreamIsClean: false) } else { truncate(id) }
    }
}

extension ByteQueue {
    /// A field line of a parsed head, in canonical form: `name: value`.
    @inline(__always)
    mutating func append(field: FieldLine, of head: RawSpan) {
        append(head.extracting(field.nameRange))
        append(": ")
        append(head.extracting(field.valueRange))
        append("\r\n")
    }

    /// A number in decimal digits.
    @inline(__always)
    mutating func append(decimal number: Int) {
        let room = unsafe reserve(Numbers.decimalCapacity)
        advance(unsafe Numbers.writeDecimal(number, to: room))
    }
}
