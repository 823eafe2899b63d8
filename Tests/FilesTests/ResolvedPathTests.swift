import CLinux
import Glibc
import Testing

@testable import Files

/// A path that nothing is a link on may be opened in one step. Whoever asks must not be able to tell.
@Suite struct ResolvedPathTests {
    /// Not before Linux 5.6, nor in every container. Asked of the call itself: where it works, we must use it.
    private static let kernelHasTheStep: Bool = {
        let directory = kb_open_for_lookup_without_links("/")
        if directory >= 0 { close(directory) }
        return directory >= 0
    }()

    let folder = TemporaryFolder()

    init() {
        mkdir(folder("real"), 0o700)
        mkdir(folder("real/inner"), 0o700)
        folder.put("real/store", "content")
        symlink("real", folder("directory"))
        symlink("store", folder("real/link"))
    }

    /// Which directory, which name in it, and which file that is; nil where there is none.
    private struct Place: Equatable {
        var directory: FileIdentity?
        var name: String
        var file: FileIdentity?

        init(_ place: borrowing ResolvedPath) {
            directory = try? place.directory.status().identity
            name = place.name
            file = place.status?.identity
        }
    }

    private func direct(_ path: String) -> Place? {
        guard let place = ResolvedPath.direct(path) else { return nil }
        return Place(place)
    }

    private func walked(_ path: String) throws -> Place { Place(try ResolvedPath.walk(path, owner: geteuid())) }

    @Test(
        .enabled(if: kernelHasTheStep),
        arguments: [
            "real/store", "real/inner", "real/missing", "real/inner/../store", "real/./store", "real//store", "./real/store", "real/..",
            "real/\u{301}accent",
        ])
    func withoutALinkOneStepLeadsToWhereTheWalkLeads(path: String) throws {
        let place = try #require(direct(folder(path)))
        #expect(try place == walked(folder(path)))
        #expect(place.directory != nil)
    }

    @Test(.enabled(if: kernelHasTheStep)) func pathsFromHereLeadToTheSameToo() throws {
        for path in ["Package.swift", "nothing-of-that-name", "./Package.swift", "..", "/tmp"] {
            #expect(try direct(path) == walked(path), "\(path)")
        }
    }

    @Test(arguments: ["directory/store", "real/link", "directory", "directory/../real/store", "directory/missing"])
    func aLinkIsLeftToTheWalk(path: String) throws {
        #expect(direct(folder(path)) == nil)
        _ = try walked(folder(path))
    }

    @Test(arguments: ["/", "real/", "real/.", "missing/store", "real/store/below"])
    func soIsWhatHasNoNameOrNoDirectory(path: String) {
        #expect(direct(path == "/" ? path : folder(path)) == nil)
    }
}
