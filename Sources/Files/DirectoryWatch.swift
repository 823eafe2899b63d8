internal import CLinux
internal import Glibc

/// Tells which files in some directories have changed: by inotify, and by looking once a second at directories that inotify cannot see
/// (network file systems, the limit on watches reached) or that do not exist yet. Made and used by one thread.
public final class DirectoryWatch {
    private var inotify: Inotify?
    /// The directories that the kernel reports on, by its watch number.
    private var watched: [Int32: String] = [:]
    /// The directories that are looked at, with what was seen last.
    private var polled: [String: [String: FileIdentity]] = [:]
    private var lastLook = ContinuousClock.now

    /// How often directories are looked at that inotify cannot see.
    private static let lookInterval = Duration.seconds(1)

    /// A watch on these directories. Where inotify is not to be had, all of them are looked at.
    public convenience init(_ directories: [String] = []) {
        self.init(directories, inotify: try? Inotify())
    }

    init(_ directories: [String], inotify: consuming Inotify?) {
        self.inotify = consume inotify
        for directory in directories { add(directory) }
    }

    /// What becomes readable when something has changed, for someone else's event loop, which then calls ``wait(timeout:)`` with zero,
    /// and once a second anyway while ``isPolling``. -1 without inotify.
    public var descriptor: Int32 { inotify?.file.rawValue ?? -1 }

    /// Whether some directory is only looked at once a second.
    public var isPolling: Bool { !polled.isEmpty }

    /// Watches one more directory, which need not exist: its files are reported when it appears. Adding it again changes nothing.
    public func add(_ directory: String) {
        guard polled[directory] == nil, !watched.values.contains(directory) else { return }
        if !FileSystem.isNetwork(directory), let number = inotify?.watch(directory) {
            watched[number] = directory
        } else {
            polled[directory] = Self.look(at: directory)
        }
    }

    /// Waits until something changes, at most `timeout`. The paths of the files that may have changed, each as directory, slash, name,
    /// with the directory as it was added; empty when time ran out.
    public func wait(timeout: Duration) -> Set<String> {
        let deadline = ContinuousClock.now + timeout
        var changed: Set<String> = []
        while true {
            changed.formUnion(takeEvents())
            changed.formUnion(lookIfDue())
            let left = deadline - ContinuousClock.now
            guard changed.isEmpty, left > .zero else { return changed }
            pause(isPolling ? min(left, lastLook + Self.lookInterval - ContinuousClock.now) : left)
        }
    }

    /// Sleeps until an event arrives, at most `duration`.
    private func pause(_ duration: Duration) {
        let milliseconds = (duration + .microseconds(999)) / .milliseconds(1)
        guard descriptor >= 0 else { return System.sleep(max(duration, .zero)) }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, Int32(min(max(milliseconds, 0), 1e9)))
    }

    /// What inotify has to say by now.
    private func takeEvents() -> Set<String> {
        var changed: Set<String> = []
        for event in inotify?.takeEvents() ?? [] {
            if event.hasOverflowed {
                for directory in watched.values { changed.formUnion(Self.names(in: directory).map { "\(directory)/\($0)" }) }
            } else if let directory = watched[event.watch] {
                if let name = event.name { changed.insert("\(directory)/\(name)") }
                if event.endsWatch { lose(directory, number: event.watch) }
            }
        }
        return changed
    }

    /// The directory has gone, or gone elsewhere: from now on it is looked for under its name.
    private func lose(_ directory: String, number: Int32) {
        inotify?.unwatch(number)
        watched[number] = nil
        polled[directory] = [:]
    }

    /// Looks at the directories that inotify cannot see, if a second has passed; those it can see by now are handed over to it.
    private func lookIfDue() -> Set<String> {
        guard isPolling, ContinuousClock.now - lastLook >= Self.lookInterval else { return [] }
        lastLook = .now
        var changed: Set<String> = []
        for (directory, before) in polled {
            // Handed over before it is looked at, so that no change falls between the two.
            polled[directory] = nil
            add(directory)
            let now = Self.look(at: directory)
            if polled[directory] != nil { polled[directory] = now }
            for name in Set(before.keys).union(now.keys) where before[name] != now[name] {
                changed.insert("\(directory)/\(name)")
            }
        }
        return changed
    }

    /// Every file in a directory and the state it is in; nothing where it cannot be read.
    private static func look(at directory: String) -> [String: FileIdentity] {
        var seen: [String: FileIdentity] = [:]
        for name in names(in: directory) { seen[name] = PrivateFile.identity(of: "\(directory)/\(name)") }
        return seen
    }

    private static func names(in directory: String) -> [String] {
        guard let number = try? System.retrying({ unsafe kb_open_following(directory) }) else { return [] }
        return (try? FileDescriptor(owning: number).names()) ?? []
    }
}
