import CCurl
import Credentials

/// One libcurl easy handle, from making to clean-up. All of libcurl's C interface is used here and nowhere else.
@safe struct CurlTransfer: ~Copyable {
    private let curl: UnsafePointer<kb_curl>
    private let handle: UnsafeMutableRawPointer
    private let receiver: Receiver
    private let headers: HeaderList
    /// The system's bundle of authorities, where it need not be read as long as their directory has the one that is asked for.
    private var bundle: String?

    /// A handle with the settings every transfer has; nil when libcurl cannot be opened or has none to give.
    init?(answerLimit: Int) {
        guard let curl = unsafe Self.library, let handle = unsafe curl.pointee.easy_init() else { return nil }
        unsafe (self.curl, self.handle) = unsafe (curl, handle)
        receiver = Receiver(limit: answerLimit)
        headers = unsafe HeaderList(curl)
        let file = unsafe kb_curl_authorities(curl, handle, 0)
        bundle = unsafe kb_curl_authorities(curl, handle, 1) == nil ? nil : file.map { unsafe String(cString: $0) }
        // No SIGALRM for time-outs: we have threads. No Expect: token endpoints answer it with 417 or never.
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_USERAGENT, "keybearer")
        headers.add("Accept: application/json")
        headers.add("Expect:")
    }

    deinit { unsafe curl.pointee.easy_cleanup(handle) }

    /// Where to, and whom to trust.
    mutating func setEndpoint(_ url: String, isHTTPS: Bool, caFile: String?) {
        set(CURLOPT_URL, url)
        unsafe kb_curl_allow_only(curl, handle, isHTTPS ? 1 : 0)
        if caFile != nil || bundle != nil { trust(caFile) }
        if caFile != nil { bundle = nil }
    }

    /// A file of authorities, besides those of the system's directory.
    private func trust(_ file: String?) { unsafe kb_curl_set_string(curl, handle, CURLOPT_CAINFO, file) }

    /// No proxy, whatever the environment says.
    func bypassProxy() {
        set(CURLOPT_PROXY, "")
    }

    /// This one, whatever the environment says, `NO_PROXY` included.
    func use(_ proxy: OutboundProxy) {
        set(CURLOPT_PROXY, proxy.url.revealed)
        set(CURLOPT_NOPROXY, "")
    }

    /// How long all of it, and how long connecting with TLS may take.
    func setTimeouts(whole: Duration, connect: Duration) {
        set(CURLOPT_TIMEOUT_MS, Int(whole.milliseconds))
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(connect.milliseconds))
    }

    /// The body, which is sent in place: libcurl keeps a pointer to it, so the receiver keeps the bytes.
    func setBody(_ body: SensitiveBytes, contentType: String) {
        receiver.hasBody = true
        receiver.body = body
        headers.add("Content-Type: " + contentType)
    }

    /// A whole header line. libcurl's copy of it is libcurl's to free.
    func setField(_ line: SensitiveBytes) {
        headers.add(String(decoding: line.bytes, as: UTF8.self))
    }

    /// Sends the request and waits for the whole answer.
    func perform() throws(TransportFailure) -> TokenAnswer {
        let receiver = receiver
        let code = withExtendedLifetime((receiver, headers)) {
            unsafe kb_curl_set_list(curl, handle, CURLOPT_HTTPHEADER, headers.list)
            unsafe kb_curl_set_receiver(curl, handle, receive, Unmanaged.passUnretained(receiver).toOpaque())
            return unsafe receiver.body.withUnsafeBytes { body in
                // Without one it is a GET.
                if receiver.hasBody { unsafe kb_curl_set_body(curl, handle, body.baseAddress, curl_off_t(body.count)) }
                return verified()
            }
        }
        let status = long(CURLINFO_RESPONSE_CODE)
        guard code == CURLE_OK else {
            if receiver.isFull { throw .tooLarge(status: status) }
            let tunnel = long(CURLINFO_HTTP_CONNECTCODE)
            let name = tunnel != 0 && !(200...299).contains(tunnel) ? "proxy_refused" : Self.name(of: code)
            throw mayHaveBeenSent ? .inDoubt(code: name) : .notSent(code: name)
        }
        let wish = offset(CURLINFO_RETRY_AFTER)
        return TokenAnswer(status: status, retryAfter: wish > 0 ? .seconds(Int64(wish)) : nil, body: receiver.answer)
    }

    /// Runs the transfer. libcurl would parse the whole bundle (20 ms of processor time) for each; it is read for those alone whose authority
    /// the directory does not have. Nothing of the request has been sent before the certificate is verified.
    private func verified() -> CURLcode {
        let code = unsafe curl.pointee.easy_perform(handle)
        guard code == CURLE_PEER_FAILED_VERIFICATION, let bundle else { return code }
        trust(bundle)
        return unsafe curl.pointee.easy_perform(handle)
    }

    /// Whether the connection was ready and the request begun: its time is set once the name is resolved, the proxy passed and TLS up.
    private var mayHaveBeenSent: Bool { offset(CURLINFO_PRETRANSFER_TIME_T) > 0 }

    private func set(_ option: CURLoption, _ value: Int) { unsafe kb_curl_set_long(curl, handle, option, value) }

    private func set(_ option: CURLoption, _ value: String) { unsafe kb_curl_set_string(curl, handle, option, value) }

    private func long(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe kb_curl_get_long(curl, handle, info, &value)
        return value
    }

    private func offset(_ info: CURLINFO) -> curl_off_t {
        var value: curl_off_t = 0
        unsafe kb_curl_get_offset(curl, handle, info, &value)
        return value
    }

    /// Whether libcurl can be opened; it is from then on.
    static var isAvailable: Bool { unsafe library != nil }

    /// Opened with the first transfer, and for good; nil: it cannot be. curl_global_init is not thread-safe everywhere and must run once: a
    /// static is initialised once. The table is written here, before anybody has it, and only read after.
    private nonisolated(unsafe) static let library: UnsafePointer<kb_curl>? = {
        let table = UnsafeMutablePointer<kb_curl>.allocate(capacity: 1)
        unsafe table.initialize(to: kb_curl())
        return unsafe kb_curl_open(table) == 1 ? unsafe UnsafePointer(table) : nil
    }()

    /// Stable names for the failures people meet.
    private static func name(of code: CURLcode) -> String {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: "name_not_resolved"
        case CURLE_COULDNT_RESOLVE_PROXY: "proxy_name_not_resolved"
        case CURLE_COULDNT_CONNECT: "connection_refused"
        case CURLE_OPERATION_TIMEDOUT: "timed_out"
        case CURLE_SSL_CONNECT_ERROR: "tls_failed"
        case CURLE_PEER_FAILED_VERIFICATION: "certificate_not_trusted"
        case CURLE_SSL_CACERT_BADFILE: "ca_file_unusable"
        case CURLE_PROXY: "proxy_refused"
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: "answer_cut"
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR: "connection_lost"
        default: "curl_\(code.rawValue)"
        }
    }
}

/// What a transfer's callback fills. Reached through a pointer for the duration of one blocking call.
private final class Receiver {
    let answer = SensitiveBytes(capacity: 16 << 10)
    let limit: Int
    var body = SensitiveBytes()
    var hasBody = false
    var isFull = false

    init(limit: Int) { self.limit = limit }
}

/// libcurl's list of header lines, freed after the handle that uses it.
@safe private final class HeaderList {
    private(set) var list: UnsafeMutablePointer<curl_slist>?
    private let curl: UnsafePointer<kb_curl>

    init(_ curl: UnsafePointer<kb_curl>) { unsafe self.curl = unsafe curl }

    func add(_ line: String) { unsafe list = curl.pointee.slist_append(list, line) }

    deinit { unsafe curl.pointee.slist_free_all(list) }
}

/// libcurl's write callback: any other count than it was given ends the transfer.
private func receive(bytes: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?) -> Int {
    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
    let receiver = unsafe Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
    guard receiver.answer.count + size * count <= receiver.limit else {
        receiver.isFull = true
        return 0
    }
    unsafe receiver.answer.append(UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}
