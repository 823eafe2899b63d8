internal import HTTP
internal import Routing
internal import Sockets

/// Writes the head that goes upstream, from the parsed head only: no byte of the client's is copied that was not understood.
struct Injector {
    /// The `Host` line and the base path of the provider.
    let hostLine: [UInt8]
    let basePath: [UInt8]
    let candidate: Candidate?
    /// Where, in the client's target, the part begins that is appended to the provider's base path.
    let restStart: Int
    /// Whether the client's wish for a WebSocket goes on to the provider.
    let isUpgrade: Bool
    /// What the model's rewriting changes in the head.
    let edit: RequestEdit

    /// Answers where, in `output`, the lines begin that carry the credential.
    func write(_ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) -> Int {
        writeRequestLine(head, bytes, to: &output)
        output.append(hostLine)
        writeFields(head, bytes, to: &output)
        if isUpgrade {
            output.append("Connection: Upgrade\r\nUpgrade: websocket\r\n")
        } else {
            writeFraming(head, to: &output)
            writeTrailerWish(head, bytes, to: &output)
        }
        let secretsFrom = output.count
        candidate?.writeCredential(to: &output)
        output.append("\r\n")
        return secretsFrom
    }

    private func writeRequestLine(_ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) {
        output.append(bytes.extracting(head.methodRange))
        output.append(byte: 0x20)
        output.append(basePath)
        let target = bytes.extracting(head.target)
        let characters = unsafe target._unsafeView(as: UInt8.self)
        if basePath.isEmpty, !UpstreamTarget.startsWithSlash(characters, restStart: restStart) {
            output.append(byte: UInt8(ascii: "/"))
        }
        var ranges = UpstreamTarget(of: characters, restStart: restStart)
        while let range = ranges.next(in: characters) { write(range, of: target, to: &output) }
        output.append(" HTTP/1.1\r\n")
    }

    /// A part of the target; what stands for a model in it may be another text.
    @inline(__always)
    private func write(_ range: Range<Int>, of target: RawSpan, to output: inout ByteQueue) {
        guard let change = edit.target, range.contains(change.range.lowerBound), change.range.upperBound <= range.upperBound else {
            return output.append(target.extracting(range))
        }
        output.append(target.extracting(range.lowerBound..<change.range.lowerBound))
        output.append(change.text)
        output.append(target.extracting(change.range.upperBound..<range.upperBound))
    }

    /// The client's fields but: hop-by-hop ones, credentials of any kind, ours, framing, and those that the provider's data sets.
    private func writeFields(_ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) {
        for index in 0..<head.fieldCount {
            let field = head[index]
            if Self.isRemoved(field) || edit.dropsCoding && field.name == .contentEncoding { continue }
            if field.name == .secWebSocketProtocol {
                WebSocket.writeSubprotocols(field, of: bytes, to: &output)
                continue
            }
            guard let candidate, candidate.touches(field, of: bytes) else {
                output.append(field: field, of: bytes)
                continue
            }
            if candidate.replaces(field, of: bytes) { continue }
            candidate.write(field, at: index, head, bytes, to: &output)
        }
        candidate?.writeMissingMerges(head, bytes, to: &output)
    }

    @inline(__always)
    private static func isRemoved(_ field: FieldLine) -> Bool {
        field.isNamedInConnection || field.name.isHopByHop || field.name.isClientCredential || field.name.isKeybearer
            || field.name == .host || field.name == .contentLength || field.name == .expect
    }

    /// Trailers are carried, so a client's wish for them is the provider's to know (RFC 9110 §10.1.4).
    private func writeTrailerWish(_ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) {
        guard let te = head.first(.te), FieldText.listContains(bytes, te.valueRange, Self.trailers) else { return }
        output.append("Connection: TE\r\nTE: trailers\r\n")
    }
    private static let trailers = Array("trailers".utf8)

    private func writeFraming(_ head: borrowing RequestHead, to output: inout ByteQueue) {
        switch head.framing {
        case .none, .untilClose: break
        case .length(let count):
            output.append("Content-Length: ")
            output.append(decimal: count + edit.lengthChange)
            output.append("\r\n")
        case .chunked: output.append("Transfer-Encoding: chunked\r\n")
        }
    }
}
