internal import Glibc

/// Copies bytes that do not overlap, never in a single large step.
///
/// glibc before 2.40 copies more than 4 KiB (2 KiB without AVX) by one `rep movsb`, which Zen 3 and Zen 4 carry out at a thirtieth of its speed
/// where the target lies 1 to 31 bytes behind the source modulo a page (glibc bug 30994): a block behind malloc's header, filled from a buffer that
/// begins a page, is such a pair. Steps this small take the vector loop instead, which costs a large copy elsewhere nothing that can be measured.
@inline(__always)
public func copyBytes(_ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, _ size: Int) {
    if size <= copyStep {
        unsafe memcpy(target, source, size)
    } else {
        unsafe copyManyBytes(target, source, size)
    }
}

private func copyManyBytes(_ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, _ size: Int) {
    var at = 0
    while size - at > copyStep {
        unsafe memcpy(target + at, source + at, copyStep)
        at += copyStep
    }
    unsafe memcpy(target + at, source + at, size - at)
}

private let copyStep = 2048
