extension SocketAddress {
    /// The order in which the addresses of a name are tried (RFC 8305 §4): the system's, which knows what is near (RFC 6724), with the two
    /// families by turns, so that one that does not work costs one delay and not one an address.
    public static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        var leading = addresses.filter { $0.isIPv6 == first.isIPv6 }[...]
        var others = addresses.filter { $0.isIPv6 != first.isIPv6 }[...]
        var order: [SocketAddress] = []
        while let next = leading.popFirst() {
            order.append(next)
            if let other = others.popFirst() { order.append(other) }
        }
        return order + others
    }
}
