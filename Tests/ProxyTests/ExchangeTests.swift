import Testing

/// Every dialogue of `Exchanges/`: a fix adds a file and not code.
@Suite struct ExchangeTests {
    @Test(arguments: ExchangeFile.all)
    func theDialogueGoesAsWritten(file: ExchangeFile) throws {
        let stage = try Stage(
            settings: file.settings, stores: file.stores, texts: file.texts, files: file.files, keys: file.keys, origins: file.origins)
        let failures = stage.perform(file)
        stage.end()
        for failure in failures { Issue.record("\(file.name), \(failure)") }
    }

    @Test func thereAreDialogues() {
        #expect(ExchangeFile.all.count >= 120)
        #expect(ExchangeFile.all.allSatisfy { !$0.clients.isEmpty })
    }
}
