internal import CLinux
internal import Files
internal import Glibc

/// What /proc says of processes: their processor time and memory. The texts are read by pure functions.
enum ProcessTimes {
    /// Processor time that all threads of the processes have had, in seconds. Threads that have ended since are not in it; no proxy here has
    /// such while it serves.
    static func processorSeconds(of processes: [pid_t]) -> Double {
        var nanoseconds = 0.0
        for process in processes {
            for thread in Directory.names(in: "/proc/\(process)/task") {
                let folder = "/proc/\(process)/task/\(thread)"
                if let text = FileText.content(of: "\(folder)/schedstat"), let time = onProcessor(schedstat: text) {
                    nanoseconds += time
                } else if let ticks = FileText.content(of: "\(folder)/stat").flatMap({ ticks(stat: $0) }) {
                    nanoseconds += ticks * 1e9 / Double(sysconf(Int32(_SC_CLK_TCK)))
                }
            }
        }
        return nanoseconds / 1e9
    }

    /// Nanoseconds on a processor: the first number of `schedstat`.
    static func onProcessor(schedstat: String) -> Double? { schedstat.split(separator: " ").first.flatMap { Double($0) } }

    /// `utime` and `stime` of `stat`, in clock ticks. The name in parentheses may hold anything.
    static func ticks(stat: String) -> Double? {
        let fields = fields(stat: stat)
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return user + system
    }

    /// The process that started it.
    static func parent(stat: String) -> pid_t? {
        let fields = fields(stat: stat)
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }

    /// What stands behind the name.
    private static func fields(stat: String) -> [Substring] {
        guard let end = stat.lastIndex(of: ")") else { return [] }
        return stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
    }

    /// A member of `status` in MiB, e.g. `VmRSS`.
    static func mebibytes(_ member: String, status: String) -> Double? {
        for line in status.split(separator: "\n") where line.hasPrefix(member + ":") {
            return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
        }
        return nil
    }

    /// The same of processes, added up.
    static func mebibytes(_ member: String, of processes: [pid_t]) -> Double {
        processes.reduce(0) { sum, process in
            sum + (FileText.content(of: "/proc/\(process)/status").flatMap { mebibytes(member, status: $0) } ?? 0)
        }
    }

    /// A process and all that it has started.
    static func tree(of root: pid_t) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for name in Directory.names(in: "/proc") {
            guard let process = pid_t(name), let parent = FileText.content(of: "/proc/\(name)/stat").flatMap(parent(stat:)) else {
                continue
            }
            children[parent, default: []].append(process)
        }
        var tree = [root]
        var at = 0
        while at < tree.count {
            tree += children[tree[at]] ?? []
            at += 1
        }
        return tree
    }

    /// Processor time of the whole machine, in seconds.
    static func machineSeconds() -> Double {
        let text = FileText.content(of: "/proc/stat") ?? ""
        return busyTicks(stat: text) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// All ticks of the first line of /proc/stat, but for those of idling and of waiting for input.
    static func busyTicks(stat: String) -> Double {
        let numbers = stat.prefix { $0 != "\n" }.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard numbers.count > 4 else { return 0 }
        return numbers.reduce(0, +) - numbers[3] - numbers[4]
    }

    /// Processor time of this process, in seconds.
    static func ownSeconds() -> Double { Double(kb_clock_nanoseconds(CLOCK_PROCESS_CPUTIME_ID)) / 1e9 }
}
