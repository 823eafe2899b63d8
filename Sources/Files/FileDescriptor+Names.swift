internal import CLinux
internal import Glibc

// What a directory's descriptor does to the names in it.
extension FileDescriptor {
    /// Gives the file `name` the name `newName`, in place of what had it.
    func rename(_ name: String, to newName: String) throws(Errno) {
        try System.check(unsafe renameat(rawValue, name, rawValue, newName))
    }

    /// Removes the file `name`. Without an error: it is for cleaning up, where nothing better could be done about one.
    func remove(_ name: String) {
        _ = unsafe unlinkat(rawValue, name, 0)
    }

    /// Makes the directory `name`, mode 0700, unless something of that name is there; whether it was made.
    func makeDirectory(_ name: String) throws(Errno) -> Bool {
        do {
            try System.check(unsafe mkdirat(rawValue, name, 0o700))
            return true
        } catch {
            guard error.code == EEXIST else { throw error }
            return false
        }
    }

    /// The names in this directory, in no order, without `.` and `..`.
    func names() throws(Errno) -> [String] {
        // fdopendir takes the descriptor over and closedir closes it, so it gets its own.
        let number = try System.retrying { unsafe kb_openat(rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        guard let stream = unsafe fdopendir(number) else {
            let code = errno
            close(number)
            throw Errno(code: code)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
