internal import CLinux
internal import Glibc

/// The processors, and who may run on which (sched_setaffinity(2), cpuset).
public enum CPU {
    /// Words of 64 processors that are asked for.
    private static var words: Int { 16 }

    /// The numbers of those that the calling thread may run on, one at least; empty where the kernel does not say.
    public static var allowed: [Int] {
        var set = [UInt64](repeating: 0, count: words)
        return unsafe kb_affinity(&set) == 0 ? numbers(in: set) : []
    }
    /// How many the calling thread may run on.
    public static var count: Int {
        let allowed = allowed.count
        return allowed > 0 ? allowed : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// From now on the calling thread, and what it starts, runs on these alone. False when the kernel refuses.
    @discardableResult
    public static func keep(to numbers: [Int]) -> Bool {
        var set = [UInt64](repeating: 0, count: words)
        for number in numbers where number / 64 < words { set[number / 64] |= 1 << UInt64(number % 64) }
        return unsafe kb_set_affinity(set) == 0
    }

    /// The numbers of the bits that are set.
    static func numbers(in words: [UInt64]) -> [Int] {
        (0..<words.count * 64).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }
}
