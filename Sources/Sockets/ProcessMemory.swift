internal import CLinux
internal import Glibc

/// What the process is resident with and does not need at the moment.
public enum ProcessMemory {
    /// Gives back what malloc holds free, in all threads' arenas (malloc_trim(3)), and all that is resident of the executable and its libraries
    /// (madvise(2), MADV_DONTNEED): code and constants, which are the files' own pages. Answers how many bytes of those were looked after.
    ///
    /// What is run or read next is mapped again from the page cache, some 64 KiB at a fault. Nothing can be lost: segments that are written to,
    /// and objects whose code the loader has changed, are left alone; and all of them under a debugger, whose breakpoints lie in code.
    @discardableResult
    public static func release() -> Int {
        kb_release_heap()
        return kb_is_traced() != 0 ? 0 : Int(kb_release_program())
    }

    /// Gives back the pages that lie wholly within `size` bytes from `start`: they will be all zeros when they are next used.
    static func forget(_ start: UnsafeMutableRawPointer, _ size: Int) {
        let page = Int(getpagesize())
        let from = (Int(bitPattern: start) + page - 1) & ~(page - 1)
        let to = (Int(bitPattern: start) + size) & ~(page - 1)
        if from < to { _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: from), to - from, MADV_DONTNEED) }
    }
}
