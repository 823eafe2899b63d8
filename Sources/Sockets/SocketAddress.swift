internal import CLinux
internal import Glibc

/// An IPv4 or IPv6 address with a port.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// In network order: 4 bytes, or 16.
    public let octets: [UInt8]
    /// The TCP port; 0 asks the kernel to choose one.
    public var port: UInt16

    /// The address of `octets` (4 or 16 of them), else nil.
    public init?(octets: [UInt8], port: UInt16) {
        guard octets.count == 4 || octets.count == 16 else { return nil }
        self.octets = octets
        self.port = port
    }

    /// Reads a numeric address: `127.0.0.1`, `::1` or `[::1]`. Names are the resolver's business.
    public init?(literal text: String, port: UInt16) {
        guard !text.utf8.contains(0) else { return nil }  // inet_pton would read no further
        var host = text
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        for (family, size) in [(AF_INET, 4), (AF_INET6, 16)] {
            var octets = [UInt8](repeating: 0, count: size)
            if unsafe inet_pton(family, host, &octets) == 1 {
                self.octets = octets
                self.port = port
                return
            }
        }
        return nil
    }

    /// 127.0.0.1
    public static func loopback(_ port: UInt16) -> SocketAddress { SocketAddress(loopback: port) }

    private init(loopback port: UInt16) {
        octets = [127, 0, 0, 1]
        self.port = port
    }

    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            (octets, port) = unsafe withUnsafeBytes(of: &storage) { bytes in
                unsafe (Array(bytes[4..<8]), UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
            }
        case AF_INET6:
            (octets, port) = unsafe withUnsafeBytes(of: &storage) { bytes in
                unsafe (Array(bytes[8..<24]), UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
            }
        default: return nil
        }
    }

    /// True for IPv6.
    public var isIPv6: Bool { octets.count == 16 }

    /// 127.0.0.0/8, ::1, and 127.0.0.0/8 written as an IPv6 address.
    public var isLoopback: Bool {
        if octets.count == 4 { return octets[0] == 127 }
        if octets.dropLast().allSatisfy({ $0 == 0 }) { return octets[15] == 1 }
        return octets.prefix(10).allSatisfy { $0 == 0 } && octets[10] == 0xff && octets[11] == 0xff && octets[12] == 127
    }

    /// `127.0.0.1:5392` or `[::1]:5392`.
    public var description: String {
        var text = [CChar](repeating: 0, count: 64)
        _ = unsafe inet_ntop(isIPv6 ? AF_INET6 : AF_INET, octets, &text, socklen_t(text.count))
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The kernel's form (`sockaddr_in` or `sockaddr_in6`), and its size.
    var storage: (sockaddr_storage, socklen_t) {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(isIPv6 ? AF_INET6 : AF_INET)
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe bytes[2] = UInt8(port >> 8)
            unsafe bytes[3] = UInt8(port & 0xff)
            unsafe bytes.baseAddress.unsafelyUnwrapped.advanced(by: isIPv6 ? 8 : 4).copyMemory(from: octets, byteCount: octets.count)
        }
        return (storage, socklen_t(isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size))
    }
}
