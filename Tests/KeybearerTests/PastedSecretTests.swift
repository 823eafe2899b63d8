import Configuration
import Credentials
import Testing

@testable import keybearer

@Suite struct PastedSecretTests {
    @Test(arguments: [
        ("sk-1\n", "sk-1"), ("  sk-1 \r\n\n", "sk-1"), ("export OPENAI_API_KEY=\"sk-1\";\n", "sk-1"), ("OPENAI_API_KEY='sk-1'", "sk-1"),
        ("export A_KEY=sk-1", "sk-1"), ("export  A_KEY=sk-1 ; ", "sk-1"), ("\"sk-1\"", "sk-1"), ("abc=", "abc="), ("ABC==", "ABC=="),
        ("a_b=c", "a_b=c"), ("", ""), (" \n", ""), ("\"", "\""), ("A_B=", ""), ("two words", "two words"),
    ])
    func `What is pasted is taken out of white space, quotes and export lines`(pasted: String, core: String) {
        #expect(String(decoding: PastedSecret.core(of: Array(pasted.utf8)[...]), as: UTF8.self) == core)
    }

    private static let token = "sk-ant-oat01-" + String(repeating: "x", count: 80)

    @Test(arguments: [
        (Profile.Kind.apiKey, "anthropic", token, "looks like a token"),
        (.token, "anthropic", "sk-ant-oat01-short", "shorter than a setup-token"),
        (.token, "anthropic", "sk-ant-api03-xxxxxxxx", "does not look like a setup-token"),
        (.apiKey, "groq", "sk-of-another", "does not look like a key of groq"),
    ])
    func `A credential in the wrong place is doubted, and never quoted`(kind: Profile.Kind, id: String, text: String, part: String) throws {
        let provider = try #require(Settings(file: nil).provider(id))
        let secret = try #require(Secret(text))
        let doubt = try #require(PastedSecret.doubt(secret, as: kind, for: provider))
        #expect(doubt.contains(part))
        #expect(!doubt.contains(text))
    }

    @Test(arguments: [
        (Profile.Kind.apiKey, "anthropic", "sk-ant-api03-x"), (.token, "anthropic", token), (.apiKey, "openai", "sk-anything"),
        (.apiKey, "mistral", "anything"),
        (.token, "openai", "t"),
    ])
    func `One in its place is not`(kind: Profile.Kind, id: String, text: String) throws {
        let provider = try #require(Settings(file: nil).provider(id))
        let secret = try #require(Secret(text))
        #expect(PastedSecret.doubt(secret, as: kind, for: provider) == nil)
    }
}
