import Digest
import Files
import Glibc
import JSON

/// One JSON file of the store as it was read: the document, or none where there is no file.
struct StoreFile<Document> {
    let document: Document?
    let identity: FileIdentity?
    let problems: [StoreProblem]

    /// Reads the file at `path`. A file that is no JSON, or of which `make` makes nothing, throws ``StoreError/unreadable`` after a copy
    /// was kept beside it.
    static func read(_ path: String, as make: (Value) -> Document?, otherwise expectation: String) throws(StoreError) -> StoreFile {
        for attempt in 0... {
            guard var contents = try contents(path) else { return StoreFile(document: nil, identity: nil, problems: []) }
            defer { Memory.cleanse(&contents.bytes) }
            let failure: SyntaxError
            do throws(SyntaxError) {
                let value = try Reader.parse(contents.bytes)
                if let document = make(value) {
                    return StoreFile(document: document, identity: contents.identity, problems: repaired(path, contents.repairedMode))
                }
                failure = SyntaxError(line: 1, column: 1, message: expectation)
            } catch {
                failure = error
            }
            // Neighbours write in place (§1.4): what looks broken may be half of a write that is done in a moment.
            if attempt < 3 {
                usleep(20_000)
                continue
            }
            throw .unreadable(
                path: path, line: failure.line, column: failure.column, message: failure.message, copy: keepCopy(of: path, contents),
                lastGood: PrivateFile.identity(of: path + lastGoodSuffix) == nil ? nil : path + lastGoodSuffix)
        }
        return StoreFile(document: nil, identity: nil, problems: [])
    }

    /// Replaces the file at `path` with `root`, laid out as upstream writes it, unless what is held against neighbours has been lost.
    ///
    /// With `keepsLastGood`, a second copy is written first: what to go back to, by hand, when someone has broken the file. It has the new
    /// content and not the old, which names a refresh token that is spent (used again, it would end the login) or a credential that was
    /// to be removed. A copy that cannot be written is removed for the same reason; the store itself is not held up by it.
    static func replace(_ path: String, with root: Object, under hold: NeighbourHold?, keepsLastGood: Bool = false) throws(StoreError) {
        var bytes = Writer.pretty(.object(root))
        defer { Memory.cleanse(&bytes) }
        if keepsLastGood, hold?.isIntact ?? true {
            let copy = path + lastGoodSuffix
            if (try? PrivateFile.replace(copy, with: bytes)) == nil { try? PrivateFile.remove(copy) }
        }
        do {
            _ = try PrivateFile.replace(path, with: bytes, if: { hold?.isIntact ?? true })
        } catch {
            throw .file(error)
        }
    }

    private static var lastGoodSuffix: String { ".last-good" }

    private static func contents(_ path: String) throws(StoreError) -> PrivateFile.Contents? {
        do {
            return try PrivateFile.read(path)
        } catch {
            throw .file(error)
        }
    }

    private static func repaired(_ path: String, _ mode: UInt32?) -> [StoreProblem] {
        mode.map { [.repaired(path, from: $0, to: "0600")] } ?? []
    }

    /// Keeps `contents` as `<path>.corrupt-<time>`; the time is the file's own, so that one broken version is copied once, whoever
    /// reads it and however often.
    private static func keepCopy(of path: String, _ contents: PrivateFile.Contents) -> String? {
        let copy = "\(path).corrupt-\(contents.identity.modified / 1_000_000)"
        if PrivateFile.identity(of: copy) != nil { return copy }
        return (try? PrivateFile.replace(copy, with: contents.bytes)) == nil ? nil : copy
    }
}
