import Testing

@testable import Credentials

@Suite struct LaneTests {
    static func lane(
        url: String = "https://auth.example/token", client: String = "c", id: String = "p:1", account: String? = "acc",
        agent: String = "main"
    ) -> Lane {
        let profile = Profile(id: id, provider: "p", kind: .oauth, secret: nil, accountID: account)
        return Lane(client: OAuthClient(tokenURL: url, clientID: client), profile: profile, agentID: agent)
    }

    @Test func oneAccountIsOneLaneWhateverTheProfile() {
        #expect(Self.lane(id: "p:1").name == Self.lane(id: "p:2", agent: "other").name)
        #expect(Self.lane(url: "https://AUTH.example:443/other").name == Self.lane().name, "the origin counts, not its spelling or path")
    }

    @Test func withoutAnAccountTheLaneIsTheProfiles() {
        let lane = Self.lane(account: nil)
        #expect(lane == Self.lane(account: nil))
        #expect(lane.name != Self.lane(id: "p:2", account: nil).name)
        #expect(lane.name != Self.lane(account: nil, agent: "other").name)
        #expect(lane.name != Self.lane().name)
    }

    @Test func originClientAndAccountEachMakeALaneOfTheirOwn() {
        let names: Set = [
            Self.lane().name, Self.lane(url: "https://other.example/token").name, Self.lane(client: "d").name, Self.lane(account: "b").name,
        ]
        #expect(names.count == 4)
    }

    @Test func everyProfileHasItsOwnJournalInTheLane() {
        #expect(Self.lane(id: "p:1").journalName != Self.lane(id: "p:2").journalName)
        #expect(Self.lane(id: "p:1").journalName != Self.lane(id: "p:1", agent: "other").journalName)
        #expect(Self.lane(id: "p:1").journalName.hasPrefix(Self.lane().name))
    }

    @Test func siblingsOfOneClientShareTheirStart() {
        #expect(Self.lane(account: "a").clientName == Self.lane(account: "b").clientName)
        #expect(Self.lane(client: "d").clientName != Self.lane().clientName)
    }

    @Test func fileNamesAreSafeAndUnderTheSink() {
        let store = AgentStore(sink: "/sink/")
        let lane = Self.lane(id: "../../x", account: nil)
        #expect(store.lockPath(of: lane).hasPrefix("/sink/keybearer/locks/lane-"))
        #expect(store.journalPath(of: lane).hasPrefix("/sink/keybearer/journal/"))
        #expect(!store.journalPath(of: lane).contains(".."))
    }
}

@Suite struct EndpointURLTests {
    @Test(arguments: [
        ("https://auth.openai.com/oauth/token", "https://auth.openai.com:443"),
        ("HTTPS://Auth.Example:8443?x=1", "https://auth.example:8443"),
        ("http://127.0.0.1:9/t", "http://127.0.0.1:9"), ("http://localhost/t", "http://localhost:80"),
        ("http://[::1]:7/", "http://[::1]:7"),
        ("http://127.9.9.9/", "http://127.9.9.9:80"), ("https://[2001:DB8::1]/", "https://[2001:db8::1]:443"),
    ])
    func httpsAnywhereAndHttpToThisMachineAreAccepted(text: String, origin: String) {
        #expect(EndpointURL(text)?.origin == origin)
    }

    @Test(arguments: [
        "", "auth.example", "ftp://a/", "http://auth.example/", "http://127.0.0.1.evil.example/", "http://127.1/", "http://localhost.evil/",
        "http://localhost@evil.example/", "https://u:p@auth.example/", "https://a\\b/", "https://a b/", "https://a/\r\nX: y",
        "https://a:0/",
        "https://a:99999/", "https://a:1a/", "https://[::1/", "https://[::1]x/", "https:///t", "https://ä.example/", "https://a/#f",
        "http://128.0.0.1/", "https://a%2eb/",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(EndpointURL(text) == nil)
    }
}
