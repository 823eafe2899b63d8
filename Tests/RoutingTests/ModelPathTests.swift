import Routing
import Testing

@Suite struct ModelPathTests {
    /// A target, whether its model has a method behind it, and what is found: model, suffix with its `@`, profile.
    struct Row: CustomTestStringConvertible {
        let target: String
        var hasMethod = true
        var model: String?
        var suffix: String?
        var profile: String?
        var testDescription: String { target }
    }

    static let rows: [Row] = [
        Row(target: "/v1beta/models/gemini-pro:generateContent", model: "gemini-pro"),
        Row(target: "/v1beta/models/gemini-pro@work:generateContent", model: "gemini-pro", suffix: "@work", profile: "work"),
        Row(
            target: "/v1beta/models/gemini-pro@google:work:streamGenerateContent?alt=sse", model: "gemini-pro", suffix: "@google:work",
            profile: "google:work"),
        Row(
            target: "/v1beta/models/gemini-pro%40google%3Awork:generateContent", model: "gemini-pro", suffix: "%40google%3Awork",
            profile: "google%3Awork"),
        Row(
            target: "/v1beta/models/gemini-pro@me@example.com:generateContent", model: "gemini-pro", suffix: "@me@example.com",
            profile: "me@example.com"),
        Row(
            target: "/v1/models/gemini-pro@google:work", hasMethod: false, model: "gemini-pro", suffix: "@google:work",
            profile: "google:work"),
        Row(target: "/v1/models/gpt-5", hasMethod: false, model: "gpt-5"),
        Row(target: "/v1/models/gpt-5?x=a@b", hasMethod: false, model: "gpt-5"),
        Row(target: "/v1/models/gpt-5/permissions@x", hasMethod: false, model: "gpt-5"),
        Row(target: "/v1/models", hasMethod: false),
        Row(target: "/v1/models/", hasMethod: false),
        Row(target: "/v1/models/:generateContent"),
        Row(target: "/v1/models/@cf:run", model: "@cf"),
        Row(target: "/v1/models/@cf@work:run", model: "@cf", suffix: "@work", profile: "work"),
        Row(target: "/v1/models/m@:run", model: "m", suffix: "@", profile: ""),
        Row(target: "/v1/models/m%4", model: "m%4"),
        Row(
            target: "/v1/projects/p/locations/l/publishers/anthropic/models/claude@20250514:rawPredict", model: "claude",
            suffix: "@20250514", profile: "20250514"),
        Row(target: "/v1/chat/completions"),
        Row(target: "/v1/chat?models/x"),
        Row(target: "/v1/amodels/x"),
        Row(target: ""),
    ]

    @Test(arguments: rows)
    func theModelIsFoundInThePath(row: Row) {
        let target = Array(row.target.utf8)
        func text(_ range: Range<Int>?) -> String? { range.map { String(decoding: target[$0], as: UTF8.self) } }
        let found = ModelPath.find(in: target.span, from: 0, hasMethod: row.hasMethod)
        #expect(text(found?.model) == row.model)
        #expect(text(found?.suffix) == row.suffix)
        #expect(text(found?.profile) == row.profile)
    }
}
