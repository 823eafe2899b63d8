internal import CLinux
internal import Glibc

/// What a process that holds secrets asks of the kernel.
enum ProcessLimits {
    /// No core dumps, and no debugger of the same user: both would show every secret (spec/threats.md §4).
    static func forbidDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = kb_forbid_dumps()
    }

    /// Whatever is run from here, setuid or not, gains nothing by it.
    static func forbidNewPrivileges() { _ = kb_forbid_new_privileges() }

    /// As many open files as the system lets us have: a connection needs two. Returns the limit in force.
    @discardableResult
    static func raiseOpenFiles() -> UInt {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
        guard limit.rlim_cur < limit.rlim_max else { return limit.rlim_cur }
        var wanted = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        return unsafe setrlimit(resource, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur
    }
}
