import HTTP
import Testing

@Suite struct FieldNameTests {
    static let names: [(String, FieldName)] = [
        ("te", .te), ("trailer", .trailer), ("upgrade", .upgrade), ("keep-alive", .keepAlive), ("proxy-connection", .proxyConnection),
        ("proxy-authorization", .proxyAuthorization), ("proxy-authenticate", .proxyAuthenticate),
        ("proxy-authentication-info", .proxyAuthenticationInfo), ("authorization", .authorization), ("x-api-key", .xAPIKey),
        ("x-goog-api-key", .xGoogAPIKey), ("api-key", .apiKey), ("cookie", .cookie), ("set-cookie", .setCookie),
        ("chatgpt-account-id", .chatgptAccountID), ("openai-organization", .openAIOrganization), ("openai-project", .openAIProject),
        ("origin", .origin), ("sec-fetch-site", .secFetchSite), ("access-control-allow-origin", .accessControl),
        ("access-control-request-private-network", .accessControl), ("anthropic-beta", .anthropicBeta),
        ("anthropic-version", .anthropicVersion),
        ("content-encoding", .contentEncoding), ("content-type", .contentType), ("accept-encoding", .acceptEncoding),
        ("retry-after", .retryAfter), ("date", .date), ("location", .location), ("alt-svc", .altSvc),
        ("keybearer-profile", .keybearerProfile),
        ("keybearer-session", .keybearerSession), ("keybearer-agent", .keybearerAgent), ("keybearer-reason", .keybearerOther),
        ("keybearer_profile", .keybearerOther), ("keybearer-", .keybearerOther), ("sec-websocket-key", .secWebSocketKey),
        ("sec-websocket-accept", .secWebSocketAccept), ("sec-websocket-version", .secWebSocketVersion),
        ("sec-websocket-protocol", .secWebSocketProtocol), ("sec-websocket-extensions", .secWebSocketExtensions),
    ]

    @Test(arguments: names)
    func aKnownNameIsFoundInAnyCase(name: String, expected: FieldName) {
        for spelling in [name, name.uppercased(), name.prefix(1).uppercased() + name.dropFirst()] {
            #expect(requestWith("\(spelling): chunked").fields.last?.known == expected)
        }
    }

    @Test func everyNameIsInTheTableOrInAnotherTest() {
        let tested = Set(Self.names.map { $0.1.rawValue })
        let elsewhere: Set<FieldName> = [.other, .host, .connection, .contentLength, .transferEncoding, .expect]
        #expect(FieldName.allCases.filter { !tested.contains($0.rawValue) && !elsewhere.contains($0) } == [])
        // A bit each in the head's set of names.
        #expect(FieldName.allCases.count <= 64)
    }

    @Test(arguments: [
        "hos", "hosts", "hozt", "x-api-kex", "y-api-key", "authorizatiom", "keybeare", "access-control", "x", "cookies", "connectiom",
        "user-agent",
        "accept", "x-stainless-lang", "content-md5", "transfer-encodings", "content-lengthy", "x-my_header",
    ])
    func aNameThatDiffersInOneLetterIsAnother(name: String) {
        #expect(requestWith("\(name): x").fields.last?.known == .other)
    }

    /// One wrong character anywhere must not be taken for the name.
    @Test(arguments: names)
    func noNameIsFoundByPartOfItsBytes(name: String, expected: FieldName) {
        for place in name.indices where !name.hasPrefix("keybearer") && !name.hasPrefix("access-control") {
            let damaged = name[..<place] + "!" + name[name.index(after: place)...]
            #expect(requestWith("\(damaged): x").fields.last?.known == .other)
        }
    }

    @Test(arguments: [
        "Transfer_Encoding", "transfer--encoding", "TransferEncoding", "Transfer.Encoding", "Transfer-Encoding-", "-transfer-encoding",
        "Transfer---Encoding",
        "Content_Length", "Content--Length", "ContentLength", "content-length_", "_Content-Length", "Content-1-Length",
        "Trans-fer-Encoding",
        "content-length-----------------------",
    ])
    func aLookalikeOfAFramingFieldIsRejected(name: String) {
        #expect(requestWith("\(name): 0").rejection == .lookalikeField)
        #expect(response("HTTP/1.1 200 OK\r\n\(name): 0\r\n\r\n").rejection == .lookalikeField)
    }

    @Test(arguments: [
        ("x_api_key", FieldName.xAPIKey), ("X_Goog-Api_Key", .xGoogAPIKey), ("api_key", .apiKey), ("ChatGPT_Account_ID", .chatgptAccountID),
        ("OpenAI_Organization", .openAIOrganization), ("proxy_authorization", .proxyAuthorization), ("Keybearer_Session", .keybearerOther),
        ("KEYBEARER-PROFILE_", .keybearerOther), ("content_type", .other), ("sec_websocket_key", .other),
    ])
    func anUnderscoredCredentialIsTakenForOne(name: String, expected: FieldName) {
        #expect(requestWith("\(name): x").fields.last?.known == expected)
    }

    @Test func theRemovalListIsThatOfTheIssue() {
        #expect(
            FieldName.allCases.filter(\.isClientCredential) == [
                .proxyAuthorization, .authorization, .xAPIKey, .xGoogAPIKey, .apiKey, .cookie, .chatgptAccountID, .openAIOrganization,
                .openAIProject,
            ])
        #expect(
            FieldName.allCases.filter(\.isHopByHop) == [
                .connection, .transferEncoding, .te, .trailer, .upgrade, .keepAlive, .proxyConnection, .proxyAuthorization,
                .proxyAuthenticate,
                .proxyAuthenticationInfo,
            ])
        #expect(FieldName.allCases.filter(\.isKeybearer) == [.keybearerProfile, .keybearerSession, .keybearerAgent, .keybearerOther])
    }
}
