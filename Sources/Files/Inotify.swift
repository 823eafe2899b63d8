internal import CLinux
internal import Glibc

/// The kernel's reports on directories, inotify(7).
struct Inotify: ~Copyable {
    let file: FileDescriptor

    init() throws(Errno) { file = FileDescriptor(owning: try System.check(kb_inotify_init())) }

    /// One report.
    struct Event {
        /// The watch it is about.
        let watch: Int32
        /// The name in the directory that changed; nil when the report is about the directory itself.
        let name: String?
        fileprivate let mask: UInt32

        /// Reports were lost, so that anything may have changed.
        var hasOverflowed: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }

        /// The directory was removed, moved or unmounted.
        var endsWatch: Bool { mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED) != 0 }
    }

    /// Starts to watch a directory; the watch's number, or nil when it does not exist or there are too many watches.
    func watch(_ directory: String) -> Int32? {
        try? System.check(unsafe kb_inotify_watch_directory(file.rawValue, directory))
    }

    /// Stops a watch. Without an error: the kernel may have ended it already.
    func unwatch(_ number: Int32) { _ = kb_inotify_unwatch(file.rawValue, number) }

    /// The reports that wait to be read.
    func takeEvents() -> [Event] {
        var events: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe read(file.rawValue, &buffer, buffer.count)
            guard count > 0 else { return events }
            var rest = buffer[..<count]
            while let event = Self.takeEvent(from: &rest) { events.append(event) }
        }
    }

    /// `struct inotify_event`: watch, mask, cookie and the name field's length, four bytes each in the machine's order, then the name
    /// with zeros after it.
    private static func takeEvent(from bytes: inout ArraySlice<UInt8>) -> Event? {
        guard bytes.count >= 16 else { return nil }
        let fields = unsafe bytes.withUnsafeBytes { bytes in
            unsafe (
                watch: bytes.loadUnaligned(as: Int32.self), mask: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                length: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
            )
        }
        let name = bytes.dropFirst(16).prefix(Int(fields.length)).prefix { $0 != 0 }
        bytes = bytes.dropFirst(16 + Int(fields.length))
        return Event(watch: fields.watch, name: name.isEmpty ? nil : String(decoding: name, as: UTF8.self), mask: fields.mask)
    }
}
