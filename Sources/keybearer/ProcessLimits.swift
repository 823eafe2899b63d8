internal import Glibc

/// What a process that holds secrets asks of the kernel.
enum ProcessLimits {
    /// No core dumps, and no debugger of the same user: both would show every secret (spec/threats.md §4).
    static func forbidDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        setDumpable(false)
    }

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

    /// prctl(2) is variadic, which Swift does not import: looked up by name, and called with all five arguments as words, as the
    /// kernel takes them.
    private static func setDumpable(_ isDumpable: Bool) {
        typealias Control = @convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt
        guard let symbol = unsafe dlsym(nil, "prctl") else { return }
        let setDumpable: CInt = 4
        _ = unsafe unsafeBitCast(symbol, to: Control.self)(setDumpable, isDumpable ? 1 : 0, 0, 0, 0)
    }
}
