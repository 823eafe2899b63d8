import Glibc
import Testing

@testable import Files

@Suite struct FileLockTests {
    let folder = TemporaryFolder()

    @Test func aFreeLockIsTakenAtOnceAndItsFileStays() throws {
        do {
            let lock = try FileLock.acquire(folder("lane.lock"), timeout: .zero)
            let isOurs = holds(lock)
            #expect(isOurs)
            #expect(folder.mode("lane.lock") == 0o600)
        }
        #expect(folder.names == ["lane.lock"])
        #expect(try canBeTaken(folder("lane.lock")), "it was released at the end of its scope")
    }

    @Test func aHeldLockTimesOutAndStopsWhenTold() throws {
        let held = try FileLock.acquire(folder("lane.lock"), timeout: .zero)
        let start = ContinuousClock.now
        #expect(try !canBeTaken(folder("lane.lock"), timeout: .milliseconds(120)))
        let elapsed = ContinuousClock.now - start
        #expect(elapsed >= .milliseconds(120) && elapsed < .seconds(2))
        var questions = 0
        let told = try FileLock.acquire(folder("lane.lock"), timeout: .seconds(60)) {
            questions += 1
            return questions < 3
        }
        let isTaken = holds(told)
        #expect(!isTaken && questions == 3)
        _ = holds(held)
    }

    /// Threads that each add one to a number in a file, read and written apart: any two at once would lose an addition.
    @Test func threadsExcludeEachOther() throws {
        let (lock, file) = (folder("lane.lock"), folder("number"))
        folder.put("number", "0")
        let threads = (0..<4).map { _ in
            TestThread {
                for _ in 0..<25 {
                    guard let held = try? FileLock.acquire(lock, timeout: .seconds(30)), let text = try? PrivateFile.read(file) else {
                        return
                    }
                    let number = Int(String(decoding: text.bytes, as: UTF8.self)) ?? 0
                    _ = try? PrivateFile.replace(file, with: Array(String(number + 1)))
                    _ = consume held
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(try PrivateFile.read(file)?.bytes == Array("100"))
    }

    /// Another process (flock(1)) holds the lock; its death by SIGKILL releases it, and nothing stale remains.
    @Test func aProcessExcludesUsUntilItDies() throws {
        let path = folder("lane.lock")
        folder.put("lane.lock", "")
        var child: pid_t = 0
        let script = "exec 9>>'\(path)'; flock -x 9; : > '\(folder("ready"))'; exec sleep 60"
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(script), nil]
        defer { arguments.forEach { free($0) } }
        #expect(posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0)
        while PrivateFile.identity(of: folder("ready")) == nil { usleep(5_000) }
        #expect(try !canBeTaken(path, timeout: .milliseconds(50)))
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        #expect(try canBeTaken(path, timeout: .seconds(5)))
    }

    /// `rm -r locks` by someone who knew no better: a waiter must not wait for ever on a file that has no name any more.
    @Test func aWaiterMovesOnToTheNewFileWhenTheOldOneIsRemoved() throws {
        let path = folder("lane.lock")
        let held = try FileLock.acquire(path, timeout: .zero)
        let remover = TestThread {
            usleep(50_000)
            unlink(path)
        }
        #expect(try canBeTaken(path, timeout: .seconds(10)))
        remover.join()
        let isStillHeld = holds(held)
        #expect(isStillHeld)
    }

    @Test func aLockFileWithTooWideAModeIsRepairedAndAFIFORefused() throws {
        folder.put("lane.lock", "", mode: 0o644)
        #expect(try canBeTaken(folder("lane.lock")))
        #expect(folder.mode("lane.lock") == 0o600)
        mkfifo(folder("pipe"), 0o600)
        #expect(throws: FileError(.open, folder("pipe"), breaks: .notRegular)) { _ = try FileLock.acquire(folder("pipe"), timeout: .zero) }
    }
}

/// Whether there is a lock. It also keeps the lock alive up to the call: nothing else uses it.
private func holds(_ lock: borrowing FileLock?) -> Bool {
    switch lock {
    case .some: true
    case .none: false
    }
}

/// Whether the lock can be had; it is released again.
private func canBeTaken(_ path: String, timeout: Duration = .zero) throws -> Bool {
    holds(try FileLock.acquire(path, timeout: timeout))
}
