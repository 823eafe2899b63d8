internal import HTTP
internal import Sockets
internal import TLS

// MARK: - Connections: opened at the start, and anew when they are lost

extension Load {
    mutating func open() throws {
        poller.add(ticker.descriptor, .read)
        for index in 0..<plan.connections { try dial(firstUnit: Int32(index * plan.streams)) }
        if let schedule { ticker.start(every: schedule.interval, first: schedule.start) }
    }

    private mutating func dial(firstUnit: Int32) throws {
        let socket: Descriptor
        switch TCP.dial(address) {
        case .started(let made): socket = made
        case .failed(let code): throw BenchFailure.failed("\(address): \(SystemError.text(code))")
        }
        let fd = socket.number
        guard fd < connections.capacity else { throw BenchFailure.failed("more than \(connections.capacity) connections") }
        var connection = LoadConnection(socket: socket, tls: nil, firstUnit: firstUnit, pool: pool)
        if plan.target.usesTLS {
            do {
                connection.tls = try TLSConnection(
                    trust, host: host, isLiteral: plan.target.isLiteral, offersHTTP2: plan.usesHTTP2, resuming: nil, pool: pool)
            } catch { throw BenchFailure.failed(error.description) }
        }
        connections.insert(connection, at: fd)
        for unit in unitsOf(fd) { units[unit].connection = fd }
        poller.add(fd, .write)
    }

    /// The units of a connection.
    @inline(__always)
    func unitsOf(_ fd: Int32) -> Range<Int32> { connections[fd].firstUnit..<connections[fd].firstUnit + Int32(plan.streams) }

    /// It is connected, or is not.
    mutating func connected(_ fd: Int32) {
        let code = TCP.outcome(of: connections[fd].socket)
        guard code == 0 else { return giveUp("\(address): \(SystemError.text(code))") }
        connections[fd].interest = [.read]
        poller.change(fd, [.read])
        guard plan.target.usesTLS else { return ready(fd) }
        connections[fd].stage = .shaking
        shakeHands(fd)
    }

    mutating func shakeHands(_ fd: Int32) {
        let outcome = connections[fd].tls?.shakeHands(host: host)
        connections[fd].flush()
        switch outcome {
        case .some(.done):
            guard !plan.usesHTTP2 || connections[fd].tls?.speaksHTTP2 == true else { return giveUp("\(host) does not speak HTTP/2") }
            ready(fd)
        case .some(.underWay): break
        case .some(.failed(let error)): giveUp(error.description)
        case .none: break
        }
    }

    private mutating func ready(_ fd: Int32) {
        connections[fd].stage = .open
        if plan.usesHTTP2 { connections[fd].session = HTTP2Session(scratch, isServer: false, connection: fd) }
        for unit in unitsOf(fd) where isDue(unit) { start(unit) }
        flush(fd)
    }

    /// Opens lost connections anew; what was under way on them has failed.
    mutating func replaceLost() {
        while let fd = losses.popLast() {
            guard connections.holds(fd) else { continue }
            let first = connections[fd].firstUnit
            for unit in unitsOf(fd) where units[unit].isBusy { fail(unit, "connection lost") }
            connections.remove(at: fd)
            guard phase != .over else { continue }
            report.reconnects += 1
            do { try dial(firstUnit: first) } catch { giveUp("\(error)") }
        }
    }
}
