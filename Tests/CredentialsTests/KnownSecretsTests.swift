import Testing

@testable import Credentials

@Suite struct KnownSecretsTests {
    /// A secret that no other test holds.
    private let secret = Secret("canary-\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))")!
    private let mask = KnownSecrets.placeholder

    @Test func aSecretThatIsHeldGetsThroughNowhereInAText() {
        let text = secret.revealed
        for (before, after) in [("", ""), ("token=", "&x=1"), ("\"", "\""), (String(repeating: "x", count: 300), "y"), ("ü ", " ü\n")] {
            #expect(KnownSecrets.masked(before + text + after) == before + mask + after)
        }
        #expect(KnownSecrets.masked(text + text + " " + text) == mask + mask + " " + mask)
    }

    @Test func whatIsNoSecretPassesUnchanged() {
        let text = secret.revealed
        for other in [
            "", "short", String(text.dropLast()), String(text.dropFirst()), "a sentence of usual words, with 0123456789abcdef in it",
        ] {
            #expect(KnownSecrets.masked(other) == other)
        }
    }

    @Test func ofTwoThatEndAlikeEachIsFound() {
        let longer = Secret("before-" + secret.revealed)!
        #expect(KnownSecrets.masked("<\(longer.revealed)> <\(secret.revealed)>") == "<\(mask)> <\(mask)>")
    }

    @Test func oneThatHasBeenLetGoIsLookedForNoMore() {
        var held: Secret? = Secret("gone-\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))")
        let text = held?.revealed ?? ""
        #expect(KnownSecrets.masked(text) == mask)
        held = nil
        #expect(KnownSecrets.masked(text) == text)
    }

    @Test func aShortOneIsNotLookedFor() {
        let short = Secret("0123456789abcde")!
        #expect(KnownSecrets.masked("x 0123456789abcde y") == "x 0123456789abcde y")
        #expect(short.count == KnownSecrets.shortest - 1)
    }

    @Test func copiesOfOneSecretAreCounted() {
        let text = secret.revealed
        do { _ = Secret(text) }
        #expect(KnownSecrets.masked(text) == mask, "the other one is still held")
    }
}
