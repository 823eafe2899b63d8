import Sockets
import Testing

/// An event goes on the moment it is read, byte for byte, however the provider cuts its stream (spec/threats.md §6, C13).
@Suite(.serialized) struct EventStreamTests {
    private static let store =
        #"{"version":1,"profiles":{"anthropic:default":{"type":"api_key","provider":"anthropic","key":"sk-one"}}}"#
    private static let events = [
        "event: message_start\ndata: {\"type\":\"message_start\"}\n\n", ": ping\r\n\r\n", "data: zwölf Boxkämpfer 🥊\ndata:\ndata: x\n\n",
        "data: [DONE]\n\n",
    ].map { Array($0.utf8) }
    private static let head = Array("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    private static let request = Array("GET /anthropic/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

    private static func chunk(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10]
    }

    @Test func eachEventIsWithTheClientBeforeTheNextIsSentAtEveryChunkSize() throws {
        let stage = try Stage(stores: ["main": Self.store])
        defer { stage.end() }
        let sizes = 1...(Self.events.map(\.count).max() ?? 1)
        let provider = Crew()
        provider.start {
            guard let socket = stage.accept() else { return stage.report("no connection") }
            var reader = MessageReader(socket)
            for size in sizes {
                guard (try? reader.readHead(isRequest: true)) != nil else { return stage.report("no request for size \(size)") }
                socket.send(Self.head)
                for (number, event) in Self.events.enumerated() {
                    for start in stride(from: 0, to: event.count, by: size) {
                        socket.send(Self.chunk(event[start..<min(event.count, start + size)]))
                    }
                    guard stage.waitFor("\(size)/\(number)") else { return stage.report("event \(number) at size \(size) did not arrive") }
                }
                socket.send(Array("0\r\n\r\n".utf8))
            }
        }
        let client = stage.dial()
        var reader = MessageReader(client)
        for size in sizes {
            client.send(Self.request)
            try reader.readHead(isRequest: false)
            for (number, event) in Self.events.enumerated() {
                var received: [UInt8] = []
                while received.count < event.count, let chunk = try reader.readChunk() { received += chunk }
                #expect(received == event)
                stage.raise("\(size)/\(number)")
            }
            #expect(try reader.readChunk() == nil)
        }
        provider.join()
        #expect(stage.reported == [])
    }

    @Test func theStreamIsTheSameWhereverItIsCut() throws {
        let stage = try Stage(stores: ["main": Self.store])
        defer { stage.end() }
        let whole = Self.head + Self.events.flatMap { Self.chunk($0) } + Array("0\r\n\r\n".utf8)
        let provider = Crew()
        provider.start {
            guard let socket = stage.accept() else { return stage.report("no connection") }
            var reader = MessageReader(socket)
            for cut in 1..<whole.count {
                guard (try? reader.readHead(isRequest: true)) != nil else { return stage.report("no request for cut \(cut)") }
                socket.send(Array(whole[..<cut]))
                Pause.milliseconds(1)
                socket.send(Array(whole[cut...]))
            }
        }
        let client = stage.dial()
        var reader = MessageReader(client)
        for cut in 1..<whole.count {
            client.send(Self.request)
            try reader.readHead(isRequest: false)
            let body = try reader.readBody()
            if body != Self.events.flatMap({ $0 }) { Issue.record("cut at \(cut): \(MessageReader.shown(body))") }
        }
        provider.join()
        #expect(stage.reported == [])
    }
}
