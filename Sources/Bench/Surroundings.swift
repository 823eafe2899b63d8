internal import Glibc

/// What a run is told apart by.
enum Surroundings {
    /// The day, in UTC.
    static var date: String {
        var now = time(nil)
        var parts = unsafe tm()
        unsafe gmtime_r(&now, &parts)
        return unsafe String(unsafeUninitializedCapacity: 16) { room in
            unsafe room.withMemoryRebound(to: CChar.self) { unsafe strftime($0.baseAddress, $0.count, "%Y-%m-%d", &parts) }
        }
    }

    /// Processors, kernel, and the congestion control of its TCP, which shows on loopback as well.
    static var machine: String {
        let model = processorModel(cpuinfo: FileText.content(of: "/proc/cpuinfo") ?? "") ?? "processor of unknown make"
        let kernel = FileText.content(of: "/proc/sys/kernel/osrelease")?.split(separator: "\n").first.map(String.init) ?? "?"
        let control = FileText.content(of: "/proc/sys/net/ipv4/tcp_congestion_control")?.split(separator: "\n").first.map(String.init)
        let count = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        return "\(model), \(count) processor\(count == 1 ? "" : "s"), Linux \(kernel)\(control.map { ", TCP \($0)" } ?? "")"
    }

    /// The first `model name` of /proc/cpuinfo.
    static func processorModel(cpuinfo: String) -> String? {
        for line in cpuinfo.split(separator: "\n") where line.hasPrefix("model name") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return nil
    }

    /// The file called `name` in the folder of this program's own.
    static func besideUs(_ name: String) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe readlink("/proc/self/exe", $0.baseAddress.unsafelyUnwrapped, $0.count) }
        let own = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/" + name
    }

    /// Whether the file at `path` can be run.
    static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }
}
