import Glibc
@testable import Sockets
import Testing

@Suite struct TCPTests {
    private static let loopback = SocketAddress(octets: [127, 0, 0, 1], port: 0)!

    /// Two ends of one connection.
    private static func pair() throws -> (near: Int32, far: Int32) {
        let listener = try TCP.listen(on: loopback)
        let bound = TCP.localAddress(of: listener)
        let address = try #require(bound)
        guard case .started(let near) = TCP.dial(address) else { throw SocketError(operation: "dial", code: 0) }
        let number = near.release()
        let poller = Poller()
        poller.add(listener.number, .read)
        _ = poller.wait(milliseconds: 2_000)
        return (number, TCP.accept(from: listener).socket)
    }

    @Test func portZeroLetsTheKernelChoose() throws {
        let listener = try TCP.listen(on: Self.loopback)
        let bound = TCP.localAddress(of: listener)
        let address = try #require(bound)
        #expect(address.port != 0)
        #expect(address.octets == [127, 0, 0, 1])
        let (socket, code) = TCP.accept(from: listener)
        #expect(socket == -1)
        #expect(code == EAGAIN)
    }

    @Test func aPortInUseIsNamed() throws {
        let listener = try TCP.listen(on: Self.loopback)
        let bound = TCP.localAddress(of: listener)
        let address = try #require(bound)
        do throws(SocketError) {
            let second = try TCP.listen(on: address)
            Issue.record("listening twice on \(second.number)")
        } catch {
            #expect(error.code == EADDRINUSE)
            #expect(error.description.contains(address.description))
        }
    }

    @Test func bytesMoveAndAnEndIsToldFromNothingYet() throws {
        let (near, far) = try Self.pair()
        let left = Descriptor(owning: near)
        let right = Descriptor(owning: far)
        var block = [UInt8](repeating: 0, count: 16)
        let nothing = right.receive(into: &block, capacity: 16)
        #expect(nothing == .wouldBlock)
        let sent = left.send(Array("hello".utf8), count: 5)
        #expect(sent == .moved(5))
        let poller = Poller()
        poller.add(right.number, .read)
        #expect(poller.wait(milliseconds: 2_000) == 1)
        let received = right.receive(into: &block, capacity: 16)
        #expect(received == .moved(5))
        #expect(block[..<5] == ArraySlice("hello".utf8))
        left.discard()
        #expect(poller.wait(milliseconds: 2_000) == 1)
        let end = right.receive(into: &block, capacity: 16)
        #expect(end == .ended)
    }

    @Test func aFullSocketWouldBlockAndABrokenOneFailsWithoutASignal() throws {
        let (near, far) = try Self.pair()
        let left = Descriptor(owning: near)
        let right = Descriptor(owning: far)
        let block = [UInt8](repeating: 1, count: 1 << 20)
        var outcome = Transfer.moved(0)
        for _ in 0..<1_000 {
            outcome = left.send(block, count: block.count)
            guard case .moved = outcome else { break }
        }
        #expect(outcome == .wouldBlock)
        right.resetWhenClosed()
        right.discard()
        var outcomes: [Transfer] = []
        for _ in 0..<2 { outcomes.append(left.send(block, count: block.count)) }
        #expect(outcomes == [.failed(ECONNRESET), .failed(EPIPE)] || outcomes == [.failed(EPIPE), .failed(EPIPE)])
    }

    @Test func aResetIsAFailureAndNoEnd() throws {
        let (near, far) = try Self.pair()
        let left = Descriptor(owning: near)
        let right = Descriptor(owning: far)
        left.resetWhenClosed()
        left.discard()
        let poller = Poller()
        poller.add(right.number, .read)
        #expect(poller.wait(milliseconds: 2_000) == 1)
        #expect(!poller.ready(at: 0).isDisjoint(with: .broken))
        var block = [UInt8](repeating: 0, count: 16)
        let failure = right.receive(into: &block, capacity: 16)
        #expect(failure == .failed(ECONNRESET))
    }

    @Test func aDialToNobodyTellsWhyOnceItIsDecided() throws {
        let listener = try TCP.listen(on: Self.loopback)
        let bound = TCP.localAddress(of: listener)
        let address = try #require(bound)
        listener.discard()
        switch TCP.dial(address) {
        case .failed(let code): #expect(code == ECONNREFUSED)
        case .started(let socket):
            let poller = Poller()
            poller.add(socket.number, .write)
            #expect(poller.wait(milliseconds: 2_000) == 1)
            let code = TCP.outcome(of: socket)
            #expect(code == ECONNREFUSED)
        }
    }
}
