import Children
import Glibc
import JSON
import Synchronization
import Testing

@testable import Credentials

@Suite struct SecretProgramsTests {
    /// Plays the runner: remembers what it was asked to run, and answers as it is told.
    private final class Scene {
        let sink: TemporarySink
        let programs: SecretPrograms
        let asked: Asked
        var store: AgentStore { AgentStore(sink: sink.path, programs: programs) }

        final class Asked: Sendable {
            let programs = Mutex<[Program]>([])
            var all: [Program] { programs.withLock { $0 } }
        }

        init(
            _ profiles: String, providers: String, places: SecretPlaces = SecretPlaces(),
            answer: @escaping @Sendable (Program) -> Result<[UInt8], ProgramFailure>
        ) {
            sink = TemporarySink(profiles: #"{"version":1,"profiles":{\#(profiles)}}"#)
            let asked = Asked()
            self.asked = asked
            programs = SecretPrograms(
                places,
                run: { programs in
                    asked.programs.withLock { $0 += programs }
                    return programs.map(answer)
                }, environment: { $0 == "KB_PASSED" ? "passed" : nil })
            sink.write("{ secrets: { providers: { \(providers) } } }", to: sink.path + "/openclaw.json")
        }

        /// What the first question asked for.
        var ids: [String]? {
            guard let input = asked.all.first?.input, let value = try? Reader.parse(input) else { return nil }
            return value["ids"]?.array?.compactMap(\.string)
        }
    }

    private static let tool = "{ source: 'exec', command: '/usr/bin/env' }"
    private static func entry(_ id: String, _ reference: String, provider: String = "vault") -> String {
        #""\#(id)":{"type":"api_key","provider":"a","keyRef":{"source":"exec","provider":"\#(provider)","id":"\#(reference)"}}"#
    }

    /// The protocol's answer, with a value made of each id.
    private static func values(_ program: Program) -> Result<[UInt8], ProgramFailure> {
        let ids = ((try? Reader.parse(program.input))?["ids"]?.array ?? []).compactMap(\.string)
        return .success(Writer.compact(["protocolVersion": 1, "values": .object(Object(ids.map { ($0, .string("sk-\($0)")) }))]))
    }

    @Test func noProgramIsRunBeforeAProfileIsUsed() throws {
        let scene = Scene(Self.entry("a:1", "one"), providers: "vault: \(Self.tool)", answer: Self.values)
        let snapshot = try scene.store.load()
        let profile = try #require(snapshot.profile("a:1"))
        #expect(profile.awaitsProgram && profile.isReference && profile.secret == nil)
        #expect(snapshot.problems.isEmpty, "what has not been tried is no problem")
        #expect(ProfileOrder.resolve(provider: "a", snapshot: snapshot, now: 0).map(\.eligibility) == [.ok])
        #expect(scene.asked.all.isEmpty)
    }

    @Test func itIsAskedForWhatIsNeededAndWhatItSaidIsRemembered() throws {
        let scene = Scene(
            Self.entry("a:1", "one") + "," + Self.entry("a:2", "two"), providers: "vault: \(Self.tool)", answer: Self.values)
        let snapshot = try scene.store.following(["a:1"])
        #expect(snapshot.profile("a:1")?.secret?.revealed == "sk-one")
        #expect(snapshot.profile("a:2")?.awaitsProgram == true)
        #expect(scene.ids == ["one"])
        #expect(try scene.store.load().profile("a:1")?.secret?.revealed == "sk-one")
        #expect(scene.asked.all.count == 1, "a second reading asks nobody")
        _ = try scene.store.following(["a:1"])
        #expect(scene.asked.all.count == 2, "asked again on purpose, it is run again")
        #expect(!scene.sink.profiles.contains("sk-one"), "what was said is in memory alone")
    }

    @Test func referencesToOneProgramAreOneQuestion() throws {
        let scene = Scene(
            Self.entry("a:1", "one") + "," + Self.entry("a:2", "two"), providers: "vault: \(Self.tool)", answer: Self.values)
        let snapshot = try scene.store.following(nil)
        #expect(snapshot.profiles.compactMap { $0.secret?.revealed } == ["sk-one", "sk-two"])
        #expect(scene.asked.all.count == 1 && scene.ids?.sorted() == ["one", "two"])
    }

    @Test(arguments: [
        ProgramFailure.timedOut, .silent, .tooMuchOutput, .exited(1), .killed(9), .notStarted(2), .noRunner,
    ])
    func aProgramThatFailsIsNamedAndHurtsNoOtherProfile(failure: ProgramFailure) throws {
        let other = #""b:1":{"type":"api_key","provider":"b","key":"k"}"#
        let scene = Scene(
            [Self.entry("a:1", "one", provider: "bad"), Self.entry("a:2", "two"), other].joined(separator: ","),
            providers: "vault: \(Self.tool), bad: { source: 'exec', command: '/usr/bin/printf' }"
        ) { $0.path.hasSuffix("printf") ? .failure(failure) : Self.values($0) }
        let snapshot = try scene.store.following(nil)
        #expect(snapshot.profile("a:1")?.secret == nil && snapshot.profile("a:1")?.awaitsProgram == true)
        #expect(snapshot.profile("a:2")?.secret?.revealed == "sk-two")
        #expect(snapshot.profile("b:1")?.secret?.revealed == "k")
        #expect(snapshot.problems.map(\.profileID) == ["a:1"])
        #expect(snapshot.problems[0].message.contains("/usr/bin/printf, which \(failure)"))
    }

    @Test func itsLimitsEnvironmentAndArgumentsAreTheSettings() throws {
        let scene = Scene(
            Self.entry("a:1", "one"),
            providers: """
                vault: { source: 'exec', command: '/usr/bin/env', args: ['-x', 'y'], timeoutMs: 70, noOutputTimeoutMs: 60,
                         maxOutputBytes: 50, passEnv: ['KB_PASSED', 'KB_ABSENT'], env: { A: 'b' }, trustedDirs: ['/usr'] }
                """, answer: Self.values)
        _ = try scene.store.following(nil)
        let program = try #require(scene.asked.all.first)
        #expect(program.arguments == ["-x", "y"] && program.environment == ["A": "b", "KB_PASSED": "passed"])
        #expect(program.timeout == .milliseconds(70) && program.silence == .milliseconds(60) && program.outputLimit == 50)
        #expect(program.directory == "/usr/bin/")
        let plain = Scene(Self.entry("a:1", "one"), providers: "vault: \(Self.tool)", answer: Self.values)
        _ = try plain.store.following(nil)
        let usual = try #require(plain.asked.all.first)
        #expect(usual.timeout == .seconds(5) && usual.silence == .seconds(2) && usual.outputLimit == 1 << 20 && usual.environment.isEmpty)
    }

    @Test(arguments: [
        ("command: 'env'", "absolute"), ("args: []", "absolute"), ("command: '/usr/bin/env', args: 'x'", "args"),
        ("command: '/usr/bin/env', trustedDirs: '/usr'", "trustedDirs"), ("command: '/usr/bin/env', trustedDirs: ['/opt']", "trustedDirs"),
        ("command: '/usr/bin/env', timeoutMs: 'soon'", "timeoutMs"), ("command: '/usr/bin/env', jsonOnly: 1", "jsonOnly"),
        ("command: '/nowhere/x'", "/nowhere/x"), ("command: '/usr'", "regular"),
    ])
    func aProgramThatIsNotDescribedRightlyIsNotRun(members: String, word: String) throws {
        let scene = Scene(Self.entry("a:1", "one"), providers: "vault: { source: 'exec', \(members) }", answer: Self.values)
        let snapshot = try scene.store.following(nil)
        #expect(scene.asked.all.isEmpty)
        #expect(snapshot.problems.count == 1 && snapshot.problems[0].message.contains(word), "\(snapshot.problems)")
        #expect(snapshot.profile("a:1")?.secret == nil)
    }

    @Test func ourOwnPlaceGoesBeforeANeighboursOfTheSameAlias() throws {
        let scene = Scene(
            Self.entry("a:1", "one"), providers: "vault: { source: 'exec', command: '/usr/bin/printf' }",
            places: SecretPlaces(places: ["vault": .exec(SecretCommand(command: "/usr/bin/env"))]), answer: Self.values)
        _ = try scene.store.following(nil)
        #expect(scene.asked.all.map(\.path) == ["/usr/bin/env"])
    }

    @Test func anExpiredTokenByReferenceIsNotAskedFor() throws {
        let entry =
            #""a:1":{"type":"token","provider":"a","expires":1000,"tokenRef":{"source":"exec","provider":"vault","id":"one"}}"#
        let scene = Scene(entry, providers: "vault: \(Self.tool)", answer: Self.values)
        #expect(ProfileOrder.resolve(provider: "a", snapshot: try scene.store.load(), now: 2000).map(\.eligibility) == [.expired])
    }

    @Test func aLoginMayNotBeAReference() throws {
        let entry =
            #""a:1":{"type":"oauth","provider":"a","access":{"source":"exec","provider":"vault","id":"one"},"refresh":"r","expires":1}"#
        let scene = Scene(entry, providers: "vault: \(Self.tool)", answer: Self.values)
        let snapshot = try scene.store.following(nil)
        #expect(snapshot.profile("a:1") == nil && snapshot.problems.map(\.code) == [.unusableSecret])
        #expect(scene.asked.all.isEmpty)
    }
}
