import JSON
import Testing

@testable import Credentials

private func object(_ text: String) throws -> Object { try #require(try Reader.parse(Array(text.utf8)).object) }

private func resting(_ until: Int64) -> (String, ProfileUsage) -> ProfileUsage {
    { _, known in
        var usage = known
        (usage.cooldownUntil, usage.cooldownReason, usage.errorCount) = (until, "rate_limit", 1)
        return usage
    }
}

@Suite struct StoredUsageTests {
    @Test("Members that mean nothing to us stay, in their places, and so do other profiles' entries")
    func unknownMembers() throws {
        var state = try object(
            #"{"version":1,"theirs":[1.50],"usageStats":{"a":{"lastUsed":5,"theirs":{"x":1.0},"lastProbeAt":7},"b":{"lastUsed":1.5}},"z":null}"#
        )
        #expect(StoredUsage.change(["a"], store: [:], in: &state, resting(99)))
        #expect(
            String(decoding: Writer.compact(.object(state)), as: UTF8.self)
                == #"{"version":1,"theirs":[1.50],"usageStats":{"a":{"lastUsed":5,"theirs":{"x":1.0},"lastProbeAt":7,"cooldownUntil":99,"#
                + #""cooldownReason":"rate_limit","errorCount":1},"b":{"lastUsed":1.5}},"z":null}"#)
    }

    @Test("What changes nothing is no change")
    func unchanged() throws {
        var state = try object(#"{"version":1,"usageStats":{"a":{"lastUsed":5,"errorCount":0}}}"#)
        let before = state
        #expect(!StoredUsage.change(["a", "b"], store: [:], in: &state) { $1 })
        #expect(state == before)
    }

    @Test("Where a neighbour keeps its state in the combined file, ours has a name of its own, and the neighbour's is read")
    func combined() throws {
        let store = try object(#"{"version":1,"profiles":{},"usageStats":{"a":{"lastUsed":5,"cooldownUntil":50},"b":{"lastUsed":9}}}"#)
        var state: Object = ["version": 1]
        #expect(StoredUsage.read(store: store, state: state)["a"]?.cooldownUntil == 50)
        #expect(StoredUsage.change(["a"], store: store, in: &state, resting(99)))
        #expect(state["usageStats"] == nil)
        #expect(!StoredOrder.isState(in: state))
        let usage = StoredUsage.read(store: store, state: state)
        #expect(usage["a"]?.cooldownUntil == 99)
        #expect(usage["b"]?.lastUsed == 9)
    }

    @Test("Of two entries the one that knows of the latest event counts", arguments: [(9, 50), (3, 70)] as [(Int64, Int64)])
    func latest(theirs: Int64, expected: Int64) throws {
        let store = try object(#"{"usageStats":{"a":{"lastFailureAt":\#(theirs),"cooldownUntil":50}}}"#)
        let state = try object(#"{"keybearerUsage":{"a":{"lastUsed":5,"cooldownUntil":70}}}"#)
        #expect(StoredUsage.read(store: store, state: state)["a"]?.cooldownUntil == expected)
    }

    @Test(
        "An entry of any content is read without harm",
        arguments: [
            "null", "[]", "5", #"{"cooldownUntil":"soon","errorCount":-1,"failureCounts":[],"lastUsed":1e300}"#,
            #"{"failureCounts":{"billing":"many"},"modelCooldowns":{"m":5},"quota":{"windows":[1,{}]},"paidFallback":{}}"#,
        ])
    func hostile(text: String) throws {
        let usage = StoredUsage.read(store: nil, state: try object(#"{"usageStats":{"a":\#(text)}}"#))["a"] ?? ProfileUsage()
        #expect(usage == ProfileUsage())
    }

    @Test("Every member is read back as it was written")
    func roundTrip() {
        var usage = ProfileUsage()
        (usage.cooldownUntil, usage.cooldownReason, usage.cooldownModel) = (1, "rate_limit", "opus")
        (usage.disabledUntil, usage.disabledReason, usage.refusedFingerprint) = (2, "billing", "f")
        (usage.blockedUntil, usage.blockedModel) = (3, "haiku")
        (usage.errorCount, usage.failureCounts, usage.lastFailureAt, usage.lastUsed) = (4, ["billing": 2], 5, 6)
        usage.models = ["opus": ProfileUsage.ModelRest(until: 7, reason: "overloaded", errorCount: 1)]
        usage.quota = [ProfileUsage.Quota(window: "5h", usedPermille: 420, limit: nil, remaining: 8, resetsAt: 9)]
        usage.quotaAt = 10
        usage.paidFallback = ProfileUsage.PaidFallback(count: 1, lastAt: 11, insteadOf: "a:b", reason: "quota_exhausted")
        var object = Object()
        usage.write(to: &object)
        #expect(ProfileUsage(object) == usage)
        usage.clearRests()
        usage.write(to: &object)
        #expect(ProfileUsage(object) == usage)
        #expect(object.names.sorted() == ["errorCount", "lastFailureAt", "lastUsed", "paidFallback", "quota"])
    }
}
