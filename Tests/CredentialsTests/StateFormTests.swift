import Testing

@testable import Credentials

/// Where state is kept: in the combined file of the first versions, or in `auth-state.json`.
@Suite struct StateFormTests {
    @Test func aCombinedFileKeepsItsStateAndItsOrderIsChangedThere() throws {
        let sink = TemporarySink(profiles: AgentStoreTests.combined)
        try sink.store.put(.apiKey(Secret("k2")!, provider: "anthropic"), id: "anthropic:two")
        let before = sink.profiles
        let order = try sink.store.setOrder(["anthropic:two", "anthropic:default"], provider: "anthropic").order
        #expect(order == ["anthropic": ["anthropic:two", "anthropic:default"]])
        #expect(
            sink.profiles
                == before.replacing("[\n      \"anthropic:default\"", with: "[\n      \"anthropic:two\",\n      \"anthropic:default\""))
        #expect(sink.read(sink.store.statePath) == nil)
        #expect(try sink.store.clearOrder(provider: "anthropic").order.isEmpty)
        #expect(!sink.profiles.contains("\"order\""))
        #expect(sink.profiles.contains("usageStats"))
    }

    @Test func aMarkOfOursAloneDoesNotMakeTheSplitForm() throws {
        let sink = TemporarySink(profiles: AgentStoreTests.combined, state: #"{"version":1,"needsLogin":{}}"#)
        try sink.store.setOrder(["anthropic:default"], provider: "anthropic")
        #expect(!sink.state.contains("order"))
    }

    @Test(arguments: [nil, #"{"version":1,"usageStats":{"a":{"lastUsed":1.50}},"lastGood":{}}"#])
    func theSplitFormHasItsOrderInTheStateFile(state: String?) throws {
        let profiles =
            "{\n  \"version\": 1,\n  \"profiles\": {\n    \"p:1\": {\n      \"type\": \"api_key\",\n      \"provider\": \"p\",\n      \"key\": \"k\"\n    }\n  }\n}\n"
        let sink = TemporarySink(profiles: profiles, state: state)
        #expect(try sink.store.setOrder(["p:1"], provider: "P").order == ["p": ["p:1"]])
        #expect(sink.profiles == profiles)
        #expect(sink.state.contains("order"))
        if state != nil { #expect(sink.state.contains("\"lastUsed\": 1.50")) }
        #expect(try sink.store.clearOrder(provider: "p").order.isEmpty)
        #expect(sink.profiles == profiles)
    }
}
