import Configuration
import Credentials
import OAuth
import Sandbox
import Synchronization
import Testing

@testable import keybearer

/// The shipped data for OpenAI's logins, pointed at the sandbox, over real TLS.
@Suite struct LoginSandboxTests {
    private let scratch: Scratch
    private let sandbox: SandboxServer
    private let store: AgentStore
    private let client: OAuthClient

    init() throws {
        scratch = try Scratch()
        sandbox = try SandboxServer(SandboxServer.Options(directory: scratch.path))
        store = AgentStore(sink: scratch.path)
        let settings = try Settings(file: SettingsText(path: "sandbox", bytes: Array(sandbox.makeState().configuration.utf8)))
        client = try #require(settings.provider("openai-codex")?.oauth)
    }

    private var login: Login {
        Login(store: store, client: client, target: LoginTarget(provider: "openai-codex", needsAccountID: true))
    }

    @Test func `A device login of OpenAI's form ends in a profile that the refresher can renew`() throws {
        let device = try login.startDevice()
        #expect(device.pageURL == sandbox.baseURL + "/codex/device")
        let polls = Atomic(0)
        let result = try login.finishDevice(device) {
            // Confirmed after two polls at least.
            if polls.wrappingAdd(1, ordering: .relaxed).newValue == 4 {
                sandbox.decideDevice(userCode: device.userCode, approve: true, named: "acct-device")
            }
            return true
        }
        let id = try #require(result?.profileID)
        #expect(id == "openai-codex:acct-device@sandbox.example")
        #expect(try store.load().profile(id)?.accountID == "acct-device")
        guard case .refreshed = Refresher(store: store).refresh(profileID: id, client: client, cause: .rejected(fingerprint(id))) else {
            Issue.record("the new login cannot be refreshed")
            return
        }
        #expect(sandbox.audit.reusesDetected == 0)
    }

    private func fingerprint(_ id: String) -> String { (try? store.load().profile(id)?.secret?.fingerprint) ?? "" }

    @Test func `A device login that the person refuses leaves nothing behind`() throws {
        let device = try login.startDevice()
        sandbox.decideDevice(userCode: device.userCode, approve: false)
        #expect(throws: LoginFailure.self) { try login.finishDevice(device) { true } }
        #expect(try store.load().profiles.isEmpty)
    }
}
