import Routing
import Testing

@Suite struct NamedModelsTests {
    @Test(arguments: [
        ("/v1/messages", []), ("/v1/models", []), ("/v1/models/", []), ("/v1beta/models/g:generateContent", ["g:generateContent"]),
        ("/openai/deployments/d/chat/completions", ["d"]), ("/model/a%3Ab/invoke", ["a:b"]), ("/v1/engines/e/x?models/q", ["e"]),
        ("/publishers/google/models/m", ["m"]), ("/models/a/models/b", ["a", "b"]), ("/MODELS/a", ["a"]), ("/%6dodels/a", ["a"]),
        ("/models%2Fa", ["a"]), ("/models/a%2Fb", ["a"]), ("/models//a", ["a"]),
    ])
    func allThatAPathNames(target: String, names: [String]) {
        let bytes = Array(target.utf8)
        #expect(NamedModels.inPath(bytes.span, from: 0) == names)
    }

    @Test func aPathThatIsNoTextNamesNobodyKnowsWhat() {
        let bytes = Array("/models/%ff".utf8)
        #expect(NamedModels.inPath(bytes.span, from: 0) == nil)
    }
}
