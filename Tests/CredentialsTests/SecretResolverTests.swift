import Glibc
import JSON
import Testing

@testable import Credentials

@Suite struct SecretResolverTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let name: String
        /// The entry's members after type and provider.
        let members: String
        let secret: String?
        /// A word of the problem.
        var problem = ""
        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "a variable by text", members: #""key":"${KB_TEST_KEY}""#, secret: "from-env"),
        Row(name: "a variable by object", members: #""keyRef":{"source":"env","provider":"any","id":"KB_TEST_KEY"}"#, secret: "from-env"),
        Row(name: "the old form without a place", members: #""keyRef":{"source":"env","id":"KB_TEST_KEY"}"#, secret: "from-env"),
        Row(
            name: "an object in the key's place", members: #""key":{"source":"env","provider":"any","id":"KB_TEST_KEY"}"#,
            secret: "from-env"),
        Row(name: "an inline key goes first", members: #""key":"inline","keyRef":{"source":"env","id":"KB_TEST_KEY"}"#, secret: "inline"),
        Row(
            name: "an inline reference that fails leaves the other",
            members: #""key":"${KB_TEST_UNSET}","keyRef":{"source":"env","id":"KB_TEST_KEY"}"#,
            secret: "from-env"),
        Row(name: "a variable that is not set", members: #""key":"${KB_TEST_UNSET}""#, secret: nil, problem: "KB_TEST_UNSET"),
        Row(
            name: "one that the allowlist lacks", members: #""keyRef":{"source":"env","provider":"strict","id":"KB_TEST_KEY"}"#,
            secret: nil,
            problem: "allowlist"),
        Row(name: "one that it has", members: #""keyRef":{"source":"env","provider":"strict","id":"KB_TEST_OTHER"}"#, secret: "other"),
        Row(
            name: "no variable's name", members: #""keyRef":{"source":"env","provider":"any","id":"path"}"#, secret: nil,
            problem: "variable"),
        Row(name: "a member of a file", members: #""keyRef":{"source":"file","provider":"vault","id":"/a~1b/0/k"}"#, secret: "from-file"),
        Row(name: "the default file", members: #""keyRef":{"source":"file","id":"/plain"}"#, secret: "text"),
        Row(
            name: "a member that is not there", members: #""keyRef":{"source":"file","provider":"vault","id":"/zz"}"#, secret: nil,
            problem: "not there"),
        Row(
            name: "one that is no text", members: #""keyRef":{"source":"file","provider":"vault","id":"/a~1b"}"#, secret: nil,
            problem: "not there"),
        Row(name: "a file of one value", members: #""keyRef":{"source":"file","provider":"single","id":"value"}"#, secret: "single-value"),
        Row(
            name: "a file that is missing", members: #""keyRef":{"source":"file","provider":"gone","id":"/a"}"#, secret: nil,
            problem: "does not exist"),
        Row(name: "a FIFO", members: #""keyRef":{"source":"file","provider":"fifo","id":"/a"}"#, secret: nil, problem: "regular"),
        Row(
            name: "a file over its limit", members: #""keyRef":{"source":"file","provider":"small","id":"/plain"}"#, secret: nil,
            problem: "larger"),
        Row(
            name: "a place nobody described", members: #""keyRef":{"source":"file","provider":"what","id":"/a"}"#, secret: nil,
            problem: "describe"),
        Row(
            name: "a place of another kind", members: #""keyRef":{"source":"file","provider":"strict","id":"/a"}"#, secret: nil,
            problem: "another kind"),
        Row(
            name: "a text with a line break", members: #""keyRef":{"source":"file","provider":"vault","id":"/broken"}"#, secret: nil,
            problem: "header"),
        Row(name: "a program", members: #""keyRef":{"source":"exec","provider":"any","id":"x"}"#, secret: nil, problem: "describe"),
        Row(
            name: "a place whose limit is misspelt", members: #""keyRef":{"source":"env","provider":"loose","id":"KB_TEST_KEY"}"#,
            secret: nil, problem: "allowlist"),
        Row(
            name: "a reference with a member too many", members: #""keyRef":{"source":"env","id":"KB_TEST_KEY","x":1}"#, secret: nil,
            problem: "understood"),
    ]

    @Test(arguments: rows) func aReferenceLeadsToItsSecretOrIsNamedAndHurtsNoOther(row: Row) throws {
        setenv("KB_TEST_KEY", "from-env", 1)
        setenv("KB_TEST_OTHER", "other", 1)
        let text =
            #"{"version":1,"profiles":{"a:1":{"type":"api_key","provider":"a",\#(row.members)},"b:1":{"type":"api_key","provider":"b","key":"k"}}}"#
        let sink = TemporarySink(profiles: text)
        sink.write(
            """
            { secrets: { defaults: { file: 'vault' }, providers: {
                strict: { source: 'env', allowlist: ['KB_TEST_OTHER'] },
                loose: { source: 'env', allowlist: 'KB_TEST_KEY' },
                vault: { source: 'file', path: '\(sink.path)/vault.json' },
                single: { source: 'file', path: '\(sink.path)/single', mode: 'singleValue' },
                small: { source: 'file', path: '\(sink.path)/vault.json', maxBytes: 10 },
                gone: { source: 'file', path: '\(sink.path)/gone' },
                fifo: { source: 'file', path: '\(sink.path)/fifo' },
            } } }
            """, to: sink.path + "/openclaw.json")
        sink.write(#"{"a/b":[{"k":"from-file"}],"plain":"text","broken":"a\nb"}"#, to: sink.path + "/vault.json")
        sink.write("single-value\n", to: sink.path + "/single")
        mkfifo(sink.path + "/fifo", 0o600)
        let snapshot = try sink.store.load()
        let profile = try #require(snapshot.profile("a:1"))
        #expect(profile.secret?.revealed == row.secret)
        #expect(profile.hasUnresolvedReference == (row.secret == nil))
        #expect(snapshot.profile("b:1")?.secret?.revealed == "k")
        #expect(snapshot.problems.map(\.code) == (row.secret == nil ? [.unresolvedReference] : []))
        if row.secret == nil { #expect(snapshot.problems[0].message.contains(row.problem), "\(snapshot.problems)") }
        #expect(sink.profiles == text, "a reference is not replaced by what it leads to")
    }

    @Test func onePlaceHasAtMost512References() {
        var resolver = SecretResolver(places: { SecretPlaces() }, environment: { _ in "v" })
        let reference = SecretReference(["source": "env", "provider": "p", "id": "X"])!
        for _ in 0..<SecretResolver.referenceLimit { #expect((try? resolver.resolve([reference])) != nil) }
        #expect(throws: UnresolvedReference.self) { try resolver.resolve([reference]) }
    }

    @Test func nothingIsLookedAtWithoutAReference() throws {
        var asked = 0
        var resolver = SecretResolver(
            places: {
                asked += 1; return SecretPlaces()
            },
            environment: { _ in
                asked += 1; return nil
            })
        let document = try #require(StoreDocument(["profiles": ["a:1": ["type": "api_key", "provider": "a", "key": "k"]]]))
        #expect(document.resolving(document.read(), with: &resolver).profiles.count == 1)
        #expect(asked == 0)
    }
}
