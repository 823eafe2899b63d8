import Glibc
import Sockets
import Testing

@Suite struct ProcessMemoryTests {
    /// Bytes that are resident, as the kernel counts them: of all, and of files (proc_pid_statm(5)).
    private static func resident() -> (all: Int, files: Int) {
        guard let file = fopen("/proc/self/statm", "r") else { return (0, 0) }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return (0, 0) }
        let pages = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
        return ((Int(pages[1]) ?? 0) * Int(getpagesize()), (Int(pages[2]) ?? 0) * Int(getpagesize()))
    }
    /// A sanitizer's malloc gives nothing back.
    private static let mallocIsGlibc = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "__sanitizer_get_heap_size") == nil

    @Test func whatIsNotNeededIsNoLongerResident() async {
        // In a process of its own: other tests take memory and run code meanwhile.
        await #expect(processExitsWith: .success) {
            let blocks = (0..<60_000).map { _ in UnsafeMutableRawPointer.allocate(byteCount: 1_000, alignment: 16) }
            for block in blocks { block.initializeMemory(as: UInt8.self, repeating: 7, count: 1_000) }
            // The last one stays, so that the heap does not shrink by itself.
            for block in blocks.dropLast() { block.deallocate() }
            let before = Self.resident()
            #expect(before.all - before.files > 60_000_000)
            #expect(ProcessMemory.release() > 1 << 20)
            let after = Self.resident()
            if Self.mallocIsGlibc { #expect(after.all - after.files < before.all - before.files - 50_000_000) }
            #expect(after.files < before.files * 7 / 10)
            #expect(blocks.last?.load(fromByteOffset: 999, as: UInt8.self) == 7)
        }
    }
}
