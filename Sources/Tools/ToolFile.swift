internal import Files
internal import Glibc

/// A settings file of another program: read as it is, and replaced whole or not at all, with its mode, through links. The only file of
/// this module that touches the system.
///
/// Not a ``PrivateFile``: people keep such files in repositories and link to them, and may let others read or write them. What is in
/// them was never ours to guard.
struct ToolFile {
    /// What a person calls it.
    let path: String

    /// Longest file in octets; a larger one is something else.
    private static let limit = 4 << 20

    /// What it holds, links followed; nil when there is none. Never blocks on a FIFO or device.
    func read() throws(ToolFileError) -> [UInt8]? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw ToolFileError(path: path, reason: .system(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.limit else { throw ToolFileError(path: path, reason: .notAFile) }
        guard let stream = unsafe fopen(path, "re") else { throw ToolFileError(path: path, reason: .system(errno)) }
        defer { unsafe fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: Self.limit)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, stream) }
        guard unsafe ferror(stream) == 0 else { throw ToolFileError(path: path, reason: .system(EIO)) }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Whether there is anything at the path.
    var exists: Bool { unsafe access(path, F_OK) == 0 }

    /// Where the copy is kept of what the file was before us.
    var copy: ToolFile { ToolFile(path: path + ".before-keybearer") }

    /// Puts `bytes` in its place, unless it has changed since it held `expected`. A new file is for the owner alone.
    func replace(_ expected: [UInt8]?, with bytes: [UInt8]) throws(ToolFileError) {
        let target = PrivateFile.realPath(of: path) ?? path
        let folder = target.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        try makeFolder(folder)
        var status = stat()
        let mode = unsafe stat(target, &status) == 0 ? status.st_mode & 0o777 : 0o600
        let temporary = try write(bytes, beside: target, mode: mode)
        // A program that wrote meanwhile wins. The time between this look and the rename is as short as it can be made.
        let isUnchanged = (try? read()) == expected
        guard isUnchanged, unsafe rename(temporary, target) == 0 else {
            let code = errno
            unsafe unlink(temporary)
            throw ToolFileError(path: path, reason: isUnchanged ? .system(code) : .changed)
        }
        Self.syncFolder(folder)
    }

    /// Takes the file away; no error when it is gone already.
    func remove() { unsafe unlink(path) }

    private func makeFolder(_ folder: String) throws(ToolFileError) {
        guard unsafe access(folder, F_OK) != 0 else { return }
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(folder)
        } catch {
            throw ToolFileError(path: folder, reason: .system(error.code))
        }
    }

    /// A new file with these bytes; its path.
    private func write(_ bytes: [UInt8], beside target: String, mode: UInt32) throws(ToolFileError) -> String {
        var template = Array("\(target).XXXXXX".utf8CString)
        let number = unsafe mkstemp(&template)
        guard number >= 0 else { throw ToolFileError(path: path, reason: .system(errno)) }
        let file = FileDescriptor(owning: number)
        let temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var rest = bytes[...]
        var isWritten = true
        while isWritten, !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            isWritten = count > 0
            rest = rest.dropFirst(max(0, count))
        }
        guard isWritten, fchmod(file.rawValue, mode) == 0, fsync(file.rawValue) == 0 else {
            let code = errno
            unsafe unlink(temporary)
            throw ToolFileError(path: path, reason: .system(code))
        }
        return temporary
    }

    /// So that the new name survives a power cut. Not every file system can; the content is safe either way.
    private static func syncFolder(_ folder: String) {
        guard let stream = unsafe opendir(folder) else { return }
        unsafe fsync(dirfd(stream))
        unsafe closedir(stream)
    }
}

/// A settings file of another program that could not be read or replaced.
public struct ToolFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// Why.
    public let reason: Reason

    /// Why it could not be done.
    public enum Reason: Sendable, Equatable {
        /// The system's error number.
        case system(Int32)
        /// A folder, a device, or larger than settings can be.
        case notAFile
        /// Another program changed it meanwhile.
        case changed
    }

    /// What went wrong and what to do.
    public var description: String {
        switch reason {
        case .system(let code): "\(path): \(unsafe String(cString: strerror(code))); it is left as it is"
        case .notAFile: "\(path) is no settings file (a folder, a device, or larger than 4 MiB); it is left as it is"
        case .changed: "\(path) was changed by another program just now; it is left as it is: try again"
        }
    }
}
