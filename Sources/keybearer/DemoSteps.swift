internal import Credentials
internal import Glibc
internal import JSON
internal import Proxy
internal import Sandbox
internal import Sockets

/// The demo's minute, step by step. Each step is one promise, tried over real sockets.
struct DemoSteps {
    let stage: DemoStage
    var report = DemoReport()
    /// Everything the tools got, to look for secrets in it.
    private var received: [DemoAnswer] = []
    /// Every secret there was in the store, the refreshed ones included.
    private var secrets: Set<String> = []

    init(_ stage: DemoStage) { self.stage = stage }

    private static let work = "openai-codex:work"
    private static let home = "openai-codex:home"
    private static let crowd = 50
    /// What a tool has in place of a key.
    private static let placeholder: [(name: String, value: String)] = [("Authorization", "Bearer placeholder")]
    private static let prompt = #"{"model":"gpt-5","input":"Say hello."}"#

    /// In the order in which they are told. The next one is not begun once `isStopped` says so.
    mutating func run(until isStopped: () -> Bool) throws {
        var steps: [(inout DemoSteps) throws -> Void] = [
            { try $0.expiredProfile() }, { try $0.fiftyAtOnce() }, { $0.stream() }, { try $0.pinned() }, { try $0.refusedPin() },
            { try $0.nothingLeaked() },
        ]
        while !steps.isEmpty, !isStopped() { try steps.removeFirst()(&self) }
    }

    // MARK: One refresh

    private mutating func expiredProfile() throws {
        report.begin("A profile whose access token has expired")
        let now = Clock.wall()
        try noteSecrets()
        let profile = try stage.store.load().profile(Self.work)
        report.tell("\(Self.work): \(StatusText.standing(profile, .ok, nil, now: now))")
        report.check(
            profile?.isUsable(now: now) == false && profile?.refresh != nil,
            "its access token cannot be used; its refresh token is good for one refresh")
    }

    private mutating func fiftyAtOnce() throws {
        report.begin("\(Self.crowd) requests at the same moment, by tools that hold a placeholder")
        let answers = DemoCrowd.post(Self.crowd, port: stage.port, "/openai-codex/responses", json: Self.prompt, fields: Self.placeholder)
        received += answers
        let good = answers.count { $0.status == 200 && $0.isWhole }
        let slowest = answers.map(\.duration).max() ?? .zero
        report.check(good == Self.crowd, "\(good) of \(Self.crowd) answered with 200, the last after \(Self.text(slowest))")
        let byWork = answers.count { $0.field("keybearer-profile") == Self.work }
        report.check(byWork == Self.crowd, "\(byWork) of them by \(Self.work), as the field Keybearer-Profile tells")

        let audit = stage.sandbox.audit
        report.check(
            audit.tokenPosts == 1 && audit.refreshesGranted == 1 && audit.reusesDetected == 0,
            "the provider saw \(audit.tokenPosts) refresh (granted \(audit.refreshesGranted), reuse detected \(audit.reusesDetected) times)"
        )
        let paid = audit.entries.count { $0.account == stage.accounts[Self.work] && $0.target.hasSuffix("/responses") }
        report.check(
            paid == Self.crowd && audit.refused == 0,
            "\(paid) requests paid by that profile's account; \(audit.refused) refused: no placeholder got through")
        let profile = try stage.store.load().profile(Self.work)
        report.check(
            profile?.isUsable(now: Clock.wall()) == true,
            "the new token is in the store: \(StatusText.standing(profile, .ok, nil, now: Clock.wall()))")
    }

    // MARK: Streams

    private mutating func stream() {
        report.begin("A streamed answer, event by event")
        let interval = Duration.milliseconds(200)
        let answer = post(
            "/anthropic/v1/messages",
            #"{"model":"claude-sonnet-4-5","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#,
            [
                ("x-api-key", "placeholder"), ("anthropic-version", "2023-06-01"), ("Sandbox-Interval", "200ms"), ("Sandbox-Events", "6"),
                ("Sandbox-Timestamps", "1"),
            ])
        let events = answer.events
        var delays: [Duration] = []
        for event in events {
            let delay = Self.delay(of: event, sent: answer.sent)
            if let delay { delays.append(delay) }
            let note = delay.map { "   \(Self.text($0)) after the provider wrote it" } ?? ""
            let time = Self.text(event.after)
            report.tell("\(String(repeating: " ", count: max(0, 9 - time.count)))+\(time)  \(event.name)\(note)")
        }
        report.check(
            answer.status == 200 && answer.isWhole && events.last?.name == "message_stop",
            "\(events.count) events, up to message_stop, with \(answer.field("keybearer-profile") ?? "no profile")")
        let gaps = zip(events, events.dropFirst()).filter { $0.1.name == "content_block_delta" }.map { $0.1.arrived - $0.0.arrived }
        report.check(
            !gaps.isEmpty && gaps.allSatisfy { $0 > interval / 2 },
            "the provider paused \(Self.text(interval)) between the deltas, and so did they")
        let slowest = delays.max() ?? .zero
        report.check(
            delays.count == 6 && slowest < interval / 2, "none was held back: the slowest took \(Self.text(slowest)) through the proxy")
    }

    /// How long an event took from the provider to the tool: its text is the provider's clock, `t=<ns> `, which is also ours.
    private static func delay(of event: DemoAnswer.Event, sent: ContinuousClock.Instant) -> Duration? {
        guard let value = try? Reader.parse(Array(event.data.utf8)), let text = value["delta"]?["text"]?.string, text.hasPrefix("t="),
            let written = Int64(text.dropFirst(2).prefix { $0.isNumber })
        else { return nil }
        // Both are read now, so that the two clocks' different zeroes drop out.
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let age = ContinuousClock.now - event.arrived
        return .nanoseconds(Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) - written) - age
    }

    // MARK: Pins

    private mutating func pinned() throws {
        report.begin("A pinned profile: by the path, and by a field")
        let account = stage.accounts[Self.home] ?? ""
        let before = stage.sandbox.audit.requestsByAccount[account, default: 0]
        let byPath = post("/openai-codex@home/responses", Self.prompt, Self.placeholder)
        report.check(
            byPath.status == 200 && byPath.field("keybearer-profile") == Self.home,
            "/openai-codex@home/responses: \(byPath.status), \(byPath.field("keybearer-profile") ?? "no profile")")
        let byField = post("/openai-codex/responses", Self.prompt, Self.placeholder + [("Keybearer-Profile", Self.home)])
        report.check(
            byField.status == 200 && byField.field("keybearer-profile") == Self.home,
            "Keybearer-Profile: \(Self.home): \(byField.status), \(byField.field("keybearer-profile") ?? "no profile")")
        let paid = stage.sandbox.audit.requestsByAccount[account, default: 0] - before
        report.check(paid == 2, "the provider saw \(paid) requests paid by that account")
    }

    private mutating func refusedPin() throws {
        report.begin("A pin that cannot be kept is refused, and nobody else is used instead")
        let before = stage.sandbox.audit.modelRequests
        let answer = post("/openai-codex@nobody/responses", Self.prompt, Self.placeholder)
        let body = try? Reader.parse(answer.body)
        let code = body?["keybearer"]?["code"]?.string ?? "no code"
        report.check(answer.status == 404 && code == "unknown_profile", "/openai-codex@nobody/responses: \(answer.status) \(code)")
        if let message = body?["error"]?["message"]?.string { report.tell("“\(message)”") }
        let seen = stage.sandbox.audit.modelRequests - before
        report.check(seen == 0, "the provider saw \(seen) requests")
    }

    // MARK: Secrets

    private mutating func nothingLeaked() throws {
        report.begin("What the tools have seen")
        try noteSecrets()
        let leaks = received.count { answer in
            let text =
                answer.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n") + String(decoding: answer.body, as: UTF8.self)
            return secrets.contains { text.contains($0) }
        }
        report.check(leaks == 0, "\(received.count) answers looked through: \(leaks) hold one of the \(secrets.count) secrets there were")
        let audit = stage.sandbox.audit
        report.check(
            audit.tokenPosts == 1, "still \(audit.tokenPosts) refresh at the provider, for \(audit.modelRequests) requests to its models")
    }

    private mutating func noteSecrets() throws {
        for profile in try stage.store.load().profiles {
            secrets.formUnion([profile.secret, profile.refresh].compactMap { $0?.revealed })
        }
    }

    // MARK: Small things

    private mutating func post(_ path: String, _ json: String, _ fields: [(name: String, value: String)]) -> DemoAnswer {
        let answer = DemoClient(port: stage.port)?.post(path, json: json, fields: fields) ?? DemoAnswer()
        received.append(answer)
        return answer
    }

    /// `0.3 ms`, `212 ms`
    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration / .milliseconds(1)
        guard milliseconds < 10 else { return "\(Int(milliseconds.rounded())) ms" }
        return "\((milliseconds * 10).rounded() / 10) ms"
    }
}
