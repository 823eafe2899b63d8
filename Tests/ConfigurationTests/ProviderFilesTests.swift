import Glibc
import JSON
import Testing

@testable import Configuration

/// What loading provider files says, one line a flaw.
private func load(_ files: [String], settings: String? = nil) throws(SettingsError) -> Settings {
    try Settings(
        file: settings.map { SettingsText(path: "k.json5", bytes: Array($0.utf8)) },
        providerFiles: files.enumerated().map { SettingsText(path: "p\($0).json5", bytes: Array($1.utf8)) })
}

private func flaws(_ files: String..., settings: String? = nil) -> String {
    do {
        _ = try load(files, settings: settings)
        return "none"
    } catch {
        return error.description
    }
}

@Suite struct ProviderFilesTests {
    // MARK: The schema

    @Test func `The published schema is the one that reads the files`() throws {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let file = try #require(fopen(root + "/config/provider.schema.json", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        let count = fread(&bytes, 1, bytes.count, file)
        #expect(
            String(decoding: bytes[..<count], as: UTF8.self) == String(decoding: Writer.pretty(ProviderFiles.jsonSchema), as: UTF8.self),
            "write it anew with `keybearer providers schema > config/provider.schema.json`")
    }

    /// The paths of all members of an object's shape.
    private static func members(_ shape: Value, _ path: String = "") -> [(path: String, shape: Value)] {
        var inner = shape
        while let next = inner["anyOf"]?.array?.first ?? inner["items"] { inner = next }
        return (inner["properties"]?.object ?? [:]).flatMap { name, member in
            let place = path.isEmpty ? name : "\(path).\(name)"
            return [(place, member)] + members(member, place)
        }
    }

    @Test func `Each of its members is explained, and nothing else is`() {
        let shape = ProviderFiles.jsonSchema["$defs"]?["provider"] ?? .null
        let known = Self.members(shape)
        for (path, member) in known { #expect(member["description"]?.string?.hasSuffix(".") == true, "\(path)") }
        #expect(Set(ProviderText.members.keys) == Set(known.map(\.path)))
    }

    @Test func `A file may tell an editor which schema it obeys`() {
        #expect(flaws(#"{ "$schema": "../provider.schema.json", mine: { baseURL: "https://a.example" } }"#) == "none")
        #expect(flaws(#"{ "$schema": {} }"#).hasPrefix("p0.json5:1:3: providers.$schema: expected a provider's id"))
    }

    @Test func `Every built-in provider can be written as a file that means the same`() throws {
        let settings = try Settings()
        for provider in settings.providers {
            let document = try #require(settings.document(of: provider.id)?[provider.id])
            let file = "{ copy: \(String(decoding: Writer.compact(document), as: UTF8.self)) }"
            let copy = try #require(
                try load([file], settings: "{ providers: { copy: { credentialsFrom: null, environmentKeys: [] } } }").document(of: "copy")?[
                    "copy"])
            for member in document.object ?? [:] where !["credentialsFrom", "environmentKeys"].contains(member.name) {
                #expect(copy[member.name] == member.value, "\(provider.id).\(member.name)")
            }
        }
    }

    // MARK: What a file may not do

    @Test func `A file adds a provider, and changes what is known of one`() throws {
        let settings = try load([#"{ mine: { baseURL: "https://a.example" }, openai: { limitHeaders: [] } }"#])
        #expect(settings.provider("mine")?.baseURL?.host == "a.example" && settings.provider("openai")?.limitHeaders.isEmpty == true)
        #expect(settings.origin(of: "mine").description == "p0.json5:1" && settings.origin(of: "groq") == .builtIn)
        #expect(settings.places(of: "mine") == ["https://a.example"] && settings.notices.isEmpty)
    }

    @Test(arguments: [
        (#"{ openai: { baseURL: "https://evil.example" } }"#, "baseURL"),
        (#"{ openai: { baseURL: "https://api.openai.com:8443" } }"#, "baseURL"),
        (#"{ "azure-openai": { baseURL: "https://evil.example" } }"#, "baseURL"),
        (#"{ "openai-codex": { oauth: { tokenURL: "https://evil.example/t" } } }"#, "oauth.tokenURL"),
        (#"{ "openai-codex": { oauth: { authorizeURL: "https://evil.example/a" } } }"#, "oauth.authorizeURL"),
        (#"{ "openai-codex": { oauth: { caFile: "/tmp/evil.pem" } } }"#, "oauth.caFile"),
        (#"{ "openai-codex": { oauth: { login: { device: { startURL: "https://evil.example" } } } } }"#, "oauth.login.device.startURL"),
        (#"{ deepseek: { mint: { url: "https://evil.example" } } }"#, "mint.url"),
    ])
    func `What belongs to a provider that is there goes nowhere else by a file, unless it says that this is meant`(
        file: String, member: String
    ) throws {
        let told = flaws(file)
        #expect(told.hasPrefix("p0.json5:1:") && told.contains(".\(member): expected a place that ") && !told.contains("\n"), "\(told)")
        #expect(told.contains("sendsElsewhere: true"))
        let meant = file.replacing(": {", with: ": { sendsElsewhere: true,", maxReplacements: 1)
        #expect(try load([meant]).notices.map { $0.hasPrefix("p0.json5 sends what belongs to ") } == [true])
        // A later file does not inherit the word.
        #expect(flaws(meant, file.replacing("evil", with: "worse").replacing("8443", with: "8444")).hasPrefix("p1.json5:1:"))
        // The settings are the user's own.
        #expect(flaws(settings: "{ providers: \(file) }") == "none")
    }

    @Test func `A file gives a provider another path, region or header at the same place`() {
        #expect(flaws(#"{ openai: { baseURL: "https://api.openai.com/eu" }, "amazon-bedrock": { region: "eu-west-1" } }"#) == "none")
        #expect(flaws(#"{ anthropic: { auth: { oauth: { header: "x-token" } } } }"#) == "none")
    }

    @Test func `A file cannot have another provider's profiles at a host of its own`() throws {
        let file = #"{ mine: { baseURL: "https://evil.example", credentialsFrom: "openai" } }"#
        #expect(
            flaws(file).hasPrefix(
                "p0.json5:1:44: providers.mine.credentialsFrom: expected a provider at the host of this one's baseURL, since the credentials of "
                    + "openai are for https://api.openai.com"))
        #expect(flaws(file.replacing("evil.example", with: "api.openai.com/beta")) == "none")
        #expect(flaws(file.replacing("mine: {", with: "mine: { sendsElsewhere: true,")) == "none")
        #expect(flaws(file, settings: #"{ providers: { mine: { credentialsFrom: "openai" } } }"#) == "none")
        // Whoever is lent from may come later.
        #expect(
            flaws(
                #"{ mine: { baseURL: "https://evil.example", credentialsFrom: "corp" } }"#,
                #"{ corp: { baseURL: "https://corp.example" } }"#
            ).hasPrefix("p0"))
    }

    @Test(arguments: [
        #"{ mine: { baseURL: "https://evil.example", environmentKeys: ["MINE", "OPENAI_API_KEY"] } }"#,
        #"{ mine: { baseURL: "https://evil.example", oauth: { tokenURL: "https://evil.example", clientID: "c", clientSecretEnvironment: "OPENAI_API_KEY" } } }"#,
    ])
    func `A file cannot take the variable of another provider's key`(file: String) {
        #expect(flaws(file).contains(": expected variables of this provider's own; OPENAI_API_KEY holds a key of openai"))
        #expect(flaws(file.replacing("OPENAI_", with: "MINE_")) == "none")
    }

    @Test func `Files that are wrong can be passed over, and the others hold`() throws {
        var template = Array("/tmp/keybearer-files-XXXXXX".utf8CString)
        let folder = String(cString: mkdtemp(&template))
        func write(_ text: String, _ name: String) throws -> String {
            let path = "\(folder)/\(name)"
            let file = try #require(fopen(path, "w"))
            fputs(text, file)
            fclose(file)
            chmod(path, 0o600)
            return path
        }
        let files = [
            try write(#"{ good: { baseURL: "https://a.example" } }"#, "a.json5"), try write("{ oops", "b.json5"),
            try write(#"{ openai: { baseURL: "https://evil.example" } }"#, "c.json5"), try write("{}", "d.json5"),
        ]
        defer { for path in files + [folder] { remove(path) } }
        chmod(files[3], 0o622)
        let (settings, problems) = try SettingsFile.loadPassingOver(stateDirectory: folder, providerFiles: files)
        #expect(settings.provider("good") != nil && settings.provider("openai")?.baseURL?.host == "api.openai.com")
        #expect(Set(problems.map(\.source)) == Set(files[1...]))
    }
}
