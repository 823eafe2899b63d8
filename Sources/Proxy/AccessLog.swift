internal import CLinux
internal import Files
internal import Glibc
internal import Sockets
internal import Synchronization

/// `<state>/logs/access.jsonl`: a JSON object a request, written by a thread of its own; three files of 32 MiB, the oldest dropped.
///
/// Workers hand over whole lines and never wait: when the disk is slow, lines are dropped and counted.
final class AccessLog: Sendable {
    private static let fileLimit = 32 << 20
    private static let filesKept = 3
    /// Lines that may wait for the disk.
    private static let waitingLimit = 4 << 20
    /// What is kept of the room that lines have taken, so that the next ones need none.
    private static let keptRoom = 256 << 10

    private struct Waiting {
        var lines: [UInt8] = []
        var dropped = 0
        var isOver = false
    }
    private let path: String
    private let waiting = Mutex(Waiting())
    private let bell = Bell()

    /// Starts the writer. The folder is made, private, when it is not there.
    init(path: String) {
        self.path = path
        let log = self
        Thread(name: "kb-access-log") { log.write() }.detach()
    }

    /// Takes over lines, each with its line feed.
    func append(_ lines: UnsafeRawBufferPointer, count: Int) {
        let isFirst = waiting.withLock { waiting in
            guard waiting.lines.count + lines.count <= Self.waitingLimit else {
                waiting.dropped += count
                return false
            }
            let wasEmpty = waiting.lines.isEmpty
            unsafe waiting.lines.append(contentsOf: lines)
            return wasEmpty
        }
        if isFirst { bell.ring() }
    }

    /// Writes what waits and ends the thread.
    func stop() {
        waiting.withLock { $0.isOver = true }
        bell.ring()
    }

    // MARK: The writer's thread

    private func write() {
        let poller = Poller()
        poller.add(bell.descriptor, .read)
        var file = open()
        var lines: [UInt8] = []
        var isOver = false
        while !isOver {
            _ = poller.wait(milliseconds: -1)
            bell.silence()
            let dropped = waiting.withLock { waiting in
                swap(&lines, &waiting.lines)
                isOver = waiting.isOver
                defer { waiting.dropped = 0 }
                return waiting.dropped
            }
            if file.size + lines.count > Self.fileLimit {
                rotate()
                file = open()
            }
            file.write(lines)
            if dropped > 0 { file.write(Array("{\"dropped\":\(dropped)}\n".utf8)) }
            lines.removeAll(keepingCapacity: lines.capacity <= Self.keptRoom)
        }
    }

    private func open() -> LogFile {
        if let end = path.lastIndex(of: "/") { _ = try? PrivateDirectory.ensure(String(path[..<end])) }
        return LogFile(path)
    }

    /// `access.jsonl` becomes `access.jsonl.1`, that `.2`; what was `.2` is gone.
    private func rotate() {
        for number in stride(from: Self.filesKept - 1, to: 0, by: -1) {
            let from = number == 1 ? path : "\(path).\(number - 1)"
            unsafe rename(from, "\(path).\(number)")
        }
    }
}

/// An open log file and how large it is. Without one (a full or read-only disk) lines go nowhere: serving is what matters.
private struct LogFile: ~Copyable {
    private let descriptor: Descriptor
    private(set) var size: Int

    init(_ path: String) {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
        descriptor = Descriptor(owning: unsafe kb_openat(AT_FDCWD, path, flags, 0o600))
        size = descriptor.number >= 0 ? max(0, Int(lseek(descriptor.number, 0, SEEK_END))) : 0
    }

    mutating func write(_ bytes: [UInt8]) {
        guard descriptor.number >= 0 else { return }
        let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor.number, $0.baseAddress, $0.count) }
        size += max(0, written)
    }
}
