import Files
import Glibc
import JSON
import Testing

@testable import keybearer

@Suite struct ProvidersCommandTests {
    private let scratch: Scratch
    private let keybearer: Executable
    private var state: String { scratch.path + "/.keybearer" }

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        mkdir(state, 0o700)
        mkdir(state + "/providers", 0o700)
    }

    private func file(_ text: String, _ name: String = "mine") throws -> String {
        let path = "\(state)/providers/\(name).json5"
        try Text.write(text, to: path)
        return path
    }

    @Test func `Providers are listed with what they take and where that is written`() throws {
        let path = try file("{\n mine: { baseURL: \"https://mine.example\" } }")
        let outcome = try keybearer.run("providers")
        #expect(outcome.code == 0 && outcome.errors.isEmpty)
        let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        #expect(
            lines.contains { $0.starts(with: ["mine", "https://mine.example", "api-key,", "token", "\(path):2"]) }, "\(outcome.output)")
        #expect(lines.contains { $0.starts(with: ["openai-codex", "https://chatgpt.com/backend-api/codex", "login,", "token", "built"]) })
        #expect(lines.contains { $0.starts(with: ["vllm", "http://127.0.0.1:8000", "nothing"]) })
        let json = try Reader.parse(Array(try keybearer.run("providers", "list", "--json").output.utf8))
        let mine = json["providers"]?.array?.first { $0["id"]?.string == "mine" }
        #expect(mine?["origin"]?.string == "\(path):2" && mine?["places"]?.array?.compactMap(\.string) == ["https://mine.example"])
    }

    @Test func `A provider is shown in the form of a file, and as such means the same`() throws {
        let shown = try keybearer.run("providers", "show", "groq", "--json")
        let copy = try file(shown.output.replacing("\"groq\"", with: "\"copy\"").replacing("\"GROQ_API_KEY\"", with: ""), "copy")
        let again = try keybearer.run("providers", "show", "copy", "--json")
        #expect(again.code == 0 && again.output.contains("\"https://api.groq.com\""), "\(again.errors)")
        let text = try keybearer.run("providers", "show", "copy")
        #expect(text.output.contains("written   \(copy):2") && text.output.contains("goes to   https://api.groq.com"), "\(text.output)")
        #expect(try keybearer.run("providers", "show", "grok").code == 64)
    }

    @Test func `A file is checked before it is put to use, and every place that it sends something to is told`() throws {
        let path = scratch.path + "/new.json5"
        try Text.write(
            """
            { new: { baseURL: "https://new.example", oauth: { issuer: "https://id.example", clientID: "c", clientSecretEnvironment: "NEW_S",
              login: { device: {} } }, mint: { url: "https://mint.example/t" } } }
            """, to: path)
        let outcome = try keybearer.run("providers", "check", path)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("new: no flaw (\(path):1); takes login, api-key, token"), "\(outcome.output)")
        #expect(outcome.output.contains("\n  reads $NEW_S\n"), "\(outcome.output)")
        #expect(outcome.output.contains("  sends to https://id.example, https://mint.example, https://new.example"), "\(outcome.output)")
        #expect(try keybearer.run("providers", "list").output.contains("new.example") == false)
    }

    @Test func `What a file has from another one is told, since it would lack it elsewhere`() throws {
        let installed = try file("{ mine: { baseURL: 'https://a.example', billing: 'metered' } }")
        let path = scratch.path + "/other.json5"
        try Text.write("{ mine: { billing: 'subscription' } }", to: path)
        let outcome = try keybearer.run("providers", "check", path)
        #expect(outcome.code == 0 && outcome.output.contains("\n  with members that it has from \(installed)\n"), "\(outcome.output)")
        #expect(try keybearer.run("providers", "check").output.contains("with members") == false)
    }

    @Test func `A flaw has exit code 78 and its line, and models status passes the file over`() throws {
        let path = try file("{\n  mine: { baseUrl: 'https://a.example' } }")
        let place = "\(path):2:11: providers.mine.baseUrl: unknown member; did you mean \"baseURL\"?"
        let outcome = try keybearer.run("providers", "check")
        #expect(outcome.code == 78 && outcome.errors == "keybearer: \(place)\n", "\(outcome.errors)")
        let json = try keybearer.run("providers", "check", "--json")
        let problem = try Reader.parse(Array(json.output.utf8))["problems"]?.array?.first
        #expect(json.code == 78 && problem?["line"]?.int64 == 2 && problem?["member"]?.string == "providers.mine.baseUrl")
        let status = try keybearer.run("models", "status")
        #expect(status.code == 0 && status.output.contains("problem: \(place)"))
        #expect(try keybearer.run("models", "status", "--json").output.contains("\"provider_file\""))
        #expect(try keybearer.run("providers").output.contains("problem: \(place)"))
    }

    @Test func `A file that sends another provider's keys elsewhere says so, or is refused`() throws {
        let path = try file("{ openai: { baseURL: 'https://gateway.example' } }")
        let refused = try keybearer.run("providers", "check")
        #expect(refused.code == 78 && refused.errors.contains("sendsElsewhere: true"), "\(refused.errors)")
        _ = try file("{ openai: { sendsElsewhere: true, baseURL: 'https://gateway.example' } }")
        let taken = try keybearer.run("providers", "check")
        #expect(taken.code == 0 && taken.output.contains("note: \(path) sends what belongs to openai to https://gateway.example"))
    }

    // MARK: test

    /// The steps that did not work, as `name: why`.
    private func failures(_ outcome: Executable.Outcome) throws -> [String] {
        let steps = try Reader.parse(Array(outcome.output.utf8))["steps"]?.array ?? []
        return steps.filter { $0["ok"]?.bool != true }.map { "\($0["name"]?.string ?? ""): \($0["detail"]?.string ?? "")" }
    }

    @Test(arguments: [
        "anthropic", "openai", "openai-codex", "google", "qwen-portal", "chutes", "minimax-portal", "azure-openai", "vertex",
        "amazon-bedrock",
        "deepgram", "ollama",
    ])
    func `A built-in provider does what its data says`(id: String) throws {
        let outcome = try keybearer.run("providers", "test", id, "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try failures(outcome) == [])
        #expect(try Reader.parse(Array(outcome.output.utf8))["steps"]?.array?.isEmpty == false)
    }

    @Test func `A file of every kind is tried out whole`() throws {
        let path = scratch.path + "/all.json5"
        try Text.write(
            """
            {
              all: {
                baseURL: "https://all.example/base", headers: { "x-all": "1" },
                auth: { oauth: { header: "x-token", prefix: "T ", accountHeader: "x-account", merge: { "x-beta": "b1" } } },
                oauth: {
                  issuer: "https://id.all.example", clientID: "c", clientSecretEnvironment: "ALL_SECRET", clientAuthentication: "basic",
                  scopes: ["a"], bodyForm: "json", tokenParameters: ["audience=all"],
                  answer: {
                    accessField: "data.access", refreshField: "data.refresh", expiryField: "data.end", expiryForm: "instant",
                    accountClaim: ["org", "id"], emailClaim: ["mail"], baseURLField: "place", baseURLHosts: ["all.example"],
                    statusField: "state", grantedValues: ["fine"],
                  },
                  login: {
                    redirectURI: "http://localhost:8085/cb", state: { sentInExchange: true },
                    device: {
                      pkce: true, sendsState: true, pollKey: "user_code", grantType: "urn:all", parameters: ["kind=all"],
                      pendingValues: ["wait"], expiryField: "ends", expiryForm: "milliseconds",
                    },
                  },
                },
              },
              minted: {
                baseURL: "https://minted.example",
                mint: { url: "https://minted.example/t", method: "GET", header: "x-parent", prefix: "P ", tokenField: "a.b", expiryField: "c" },
              },
              self: {
                baseURL: "https://self.example",
                oauth: { grant: "client_credentials", tokenURL: "https://self.example/t", clientID: "c", clientSecretEnvironment: "SELF_SECRET" },
              },
            }
            """, to: path)
        for (id, steps) in [("all", 10), ("minted", 4), ("self", 6)] {
            let outcome = try keybearer.run("providers", "test", id, "--file", path, "--json")
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(try failures(outcome) == [])
            #expect(try Reader.parse(Array(outcome.output.utf8))["steps"]?.array?.count == steps, "\(outcome.output)")
        }
        #expect(Directory.names(in: state + "/agents").isEmpty, "nothing of the user's is touched")
    }

    @Test func `What has no credentials of its own has nothing to try`() throws {
        let outcome = try keybearer.run("providers", "test", "chatgpt")
        #expect(outcome.code == 0 && outcome.output.contains("uses the profiles of openai-codex"))
        #expect(try keybearer.run("providers", "test", "nobody").code == 64)
    }
}
