internal import Configuration
internal import Digest
internal import Files
internal import Synchronization
internal import TLS

/// A TLS listener's certificate and key. They can be read again while it serves: connections that come later have the new ones.
final class ListenerIdentity: Sendable {
    private let files: ListenerFiles
    /// Whose they are, for messages.
    private let address: String
    private let context: Mutex<ListenerContext>

    init(_ files: ListenerFiles, of address: ListenAddress) throws(StartError) {
        self.files = files
        self.address = address.description
        context = Mutex(try Self.read(files, self.address))
    }

    /// What a new connection is served with.
    var current: ListenerContext { context.withLock { $0 } }

    /// Reads the files as they are now, and changes nothing yet.
    func read() throws(StartError) -> ListenerContext { try Self.read(files, address) }
    /// Puts what was read in force.
    func use(_ read: ListenerContext) { context.withLock { $0 = read } }

    private static func read(_ files: ListenerFiles, _ address: String) throws(StartError) -> ListenerContext {
        let certificate: [UInt8]?
        let key: PrivateFile.Contents?
        do throws(FileError) {
            certificate = try TrustedFile.read(files.certFile)
            key = try PrivateFile.read(files.keyFile)
        } catch {
            throw StartError(description: "listen \(address): \(error.description)")
        }
        guard let certificate else { throw missing(files.certFile, address) }
        guard var key else { throw missing(files.keyFile, address) }
        defer { Memory.cleanse(&key.bytes) }
        do throws(TLSError) {
            return try ListenerContext(certificate: certificate, key: key.bytes)
        } catch {
            throw StartError(description: "listen \(address): \(error.description)")
        }
    }

    private static func missing(_ path: String, _ address: String) -> StartError {
        StartError(description: "listen \(address): there is no \(path); `keybearer tls init` makes a certificate")
    }
}
