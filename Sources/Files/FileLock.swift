internal import CLinux
internal import Glibc

/// An exclusive lock between processes, and between threads that each acquire their own: flock(2) on a file that is made for it and
/// never renamed or unlinked. It is released when the value goes out of scope; the kernel releases it when the process dies.
public struct FileLock: ~Copyable, Sendable {
    let file: FileDescriptor

    private init(_ file: consuming FileDescriptor) { self.file = file }

    deinit {
        // Explicitly, for a child between fork and exec still holds a copy of the descriptor.
        _ = kb_flock(file.rawValue, LOCK_UN)
    }

    /// How long a waiter sleeps between attempts: at first, and at most. LOCK_NB and polling, because a blocking flock can neither time
    /// out nor look at the store meanwhile.
    private static let pauses: ClosedRange<Duration> = .milliseconds(1) ... .milliseconds(50)

    /// Takes the lock whose file is at `path` (made with mode 0600 if missing; its directory must exist). Nil when another holds it for
    /// longer than `timeout`, or `waiting` said to stop waiting; it is asked at least every 100 ms, and not at all when the lock is free.
    public static func acquire(
        _ path: String, timeout: Duration, while waiting: () -> Bool = { true }
    ) throws(FileError) -> FileLock? {
        let deadline = ContinuousClock.now + timeout
        var pause = pauses.lowerBound
        while true {
            if let lock = try attempt(path) { return lock }
            let left = deadline - ContinuousClock.now
            guard left > .zero, waiting() else { return nil }
            System.sleep(min(pause, left))
            pause = min(pause * 2, pauses.upperBound)
        }
    }

    /// One attempt without waiting. The file is opened anew each time: should someone have removed it, all meet again at the next one.
    private static func attempt(_ path: String) throws(FileError) -> FileLock? {
        let owner = System.user
        let place = try ResolvedPath.follow(path, owner: owner, for: .lock)
        let file = try FileError.naming(.lock, path) { () throws(Errno) in
            try place.directory.open(place.name, O_RDWR | O_CREAT, mode: 0o600)
        }
        _ = try PrivateFile.secure(file, path, through: place.isThroughLink, owner: owner)
        do {
            try System.retrying { kb_flock(file.rawValue, LOCK_EX | LOCK_NB) }
        } catch {
            if error.code == EWOULDBLOCK { return nil }
            throw FileError(.lock, path, code: error.code)
        }
        return FileLock(file)
    }
}

extension System {
    /// Sleeps about that long; a signal may end it early.
    static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: time_t(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        _ = unsafe nanosleep(&time, nil)
    }
}
