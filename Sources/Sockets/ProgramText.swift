internal import CLinux
internal import Glibc

/// What the process has mapped of its executable and of libraries: code and constants, which are the files' own pages.
public enum ProgramText {
    /// Gives back all that is resident of it (madvise(2), MADV_DONTNEED); what is run or read next is mapped again from the page cache, some
    /// 64 KiB at a fault. Nothing can be lost: segments that are written to, and objects whose code the loader has changed, are left alone, and
    /// a debugger's breakpoints stay, since nothing is done under one. Answers how many bytes were looked after, resident or not.
    @discardableResult
    public static func release() -> Int { kb_is_traced() != 0 ? 0 : Int(kb_release_program()) }
}
