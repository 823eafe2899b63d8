internal import Credentials
internal import Digest
internal import Sockets

// MARK: - What is said to an outbound proxy before the provider is spoken to

extension Worker {
    /// The dial stands: speaks to the proxy first, where there is one; else to the provider.
    mutating func speakThrough(_ fd: Int32) {
        let id = upstreams[fd].exchange
        guard case .through(let proxy) = exchanges[id].candidate?.way else { return startTLS(fd) }
        guard let (dialogue, first) = greeting(to: proxy, origins[upstreams[fd].origin]) else {
            dropUpstream(id)
            return connectFailed(id, "\(proxy) cannot be told the name, the password or the host", certificate: false)
        }
        upstreams[fd].dialogue = dialogue
        upstreams[fd].stage = .tunnelling
        upstreams[fd].outbound.append(first)
        flushUpstream(fd)
    }

    private func greeting(to proxy: OutboundProxy, _ origin: Origin) -> (dialogue: ProxyDialogue, first: [UInt8])? {
        let named = ProxyDialogue.Target.name(origin.host, port: origin.port)
        switch proxy.scheme {
        case .http, .https:
            guard proxy.hasCredentials else { return ProxyDialogue.connect(to: named, basic: nil) }
            guard let login = proxy.login else { return nil }
            return ProxyDialogue.connect(to: named, basic: Base64.encode(Array("\(login.name):\(login.password)".utf8)))
        case .socks5, .socks5h:
            if proxy.hasCredentials, proxy.login == nil { return nil }
            let literal = origin.isLiteral || proxy.scheme == .socks5 ? origin.addresses.first : nil
            return ProxyDialogue.socks(to: literal.map { .address($0) } ?? named, login: proxy.login)
        }
    }

    /// The proxy has said something.
    mutating func feedDialogue(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        let id = upstreams[fd].exchange
        switch unsafe upstreams[fd].dialogue?.feed(Array(bytes)) ?? .failed("") {
        case .more: break
        case .send(let bytes):
            upstreams[fd].outbound.append(bytes)
            flushUpstream(fd)
        case .open:
            upstreams[fd].dialogue = nil
            startTLS(fd)
        case .failed(let why):
            dropUpstream(id)
            connectFailed(id, "\(proxyTitle(id)): \(why)", certificate: false)
        }
    }

    /// Names the proxy in an error, without its password.
    func proxyTitle(_ id: Int32) -> String {
        if case .through(let proxy) = exchanges[id].candidate?.way { return "the proxy \(proxy)" }
        return origins[exchanges[id].origin].title
    }
}
