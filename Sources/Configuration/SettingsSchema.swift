internal import Credentials
internal import JSON

/// What `keybearer.json5` may hold: every member, its kind, its bounds. `providers` is in `ProviderSchema`.
enum SettingsSchema {
    static let root = Schema<Settings>([
        .value("listen", \.listen, listen),
        .optional("workers", \.workers, .count(1...64)),
        .optional("sink", \.sink, .path),
        .group("auth", \.auth, auth),
        .group("agents", \.self, Schema([.value("list", \.agents, agents)])),
        .group("secrets", \.secrets, SecretSchema.secrets),
        .group("models", \.models, models),
        .group("sessions", \.sessions, sessions),
        .group("upstream", \.upstream, upstream),
        ProviderSchema.catalogue,
        .group("routes", \.routes, routes),
        .group("gate", \.gate, gate),
        .group("clients", \.clients, clients),
        .group("replay", \.replay, replay),
        .group("limits", \.limits, limits),
        .group("timeouts", \.timeouts, timeouts),
        .group("log", \.log, log),
    ])

    /// An element that says more than its address.
    private struct ListenEntry {
        var address = ""
        var tls: ListenerFiles?
    }
    private static let listenEntry = Codec<ListenEntry>.object(
        ListenEntry(), required: ["address"],
        Schema([
            .value("address", \.address, .text("an address such as \"127.0.0.1:5393\"")),
            .optionalGroup(
                "tls", \.tls, empty: ListenerFiles(),
                Schema([.value("certFile", \.certFile, .path), .value("keyFile", \.keyFile, .path)])),
        ]))

    /// `localhost` stands for two addresses, so an element is a list.
    private static let listen = Codec<[ListenAddress]>(
        decode: { value, reading in
            guard let given = value.array, !given.isEmpty else {
                reading.mismatch(value, expected: "a list [ … ] of at least one address")
                return nil
            }
            var addresses: [ListenAddress] = []
            for (number, element) in given.enumerated() {
                reading.enter(element: number) { reading in
                    guard let entry = listenEntry(element, &reading) else { return }
                    do throws(ListenAddress.Flaw) {
                        addresses += try ListenAddress.parse(entry.address, tls: entry.tls)
                    } catch {
                        reading.refuse(element, expected: error.expectation)
                    }
                }
            }
            let repeated = addresses.indices.contains { addresses[$0].isFixed && isTaken(addresses[$0], in: addresses[..<$0]) }
            if repeated { reading.refuse(value, expected: "each address once") }
            return addresses
        },
        encode: { addresses in
            .array(
                addresses.map { address in
                    guard let files = address.tls else { return .string(address.description) }
                    return [
                        "address": .string(address.description),
                        "tls": ["certFile": .string(files.certFile), "keyFile": .string(files.keyFile)],
                    ]
                })
        })

    private static func isTaken(_ address: ListenAddress, in others: ArraySlice<ListenAddress>) -> Bool {
        others.contains { $0.isSamePlace(as: address) }
    }

    /// A text, or an object that says how the address is served.
    private static func listenEntry(_ element: LocatedValue, _ reading: inout Reading) -> ListenEntry? {
        if let text = element.string { return ListenEntry(address: text) }
        guard element.members != nil else {
            reading.mismatch(element, expected: ListenAddress.Flaw.form.expectation)
            return nil
        }
        guard let entry = listenEntry.decode(element, &reading) else { return nil }
        if let files = entry.tls, files.certFile.isEmpty || files.keyFile.isEmpty {
            reading.refuse(element, expected: "tls: { certFile: \"…\", keyFile: \"…\" }, which `keybearer tls init` can make")
            return nil
        }
        return entry
    }

    private static let auth = Schema<AuthSettings>([
        .value("order", \.order, .map("a provider's id", ProviderSchema.normalisedID, to: .list(.profileID))),
        .value(
            "profiles", \.profiles,
            .map(
                "a profile's id", { ProfileText.isID($0) ? $0 : nil },
                to: declaredProfile)),
        .value("allowPaidFallback", \.allowPaidFallback, .truth),
        .value("strategy", \.strategy, .choice(AuthSettings.Strategy.allCases)),
        .group("cooldowns", \.cooldowns, cooldowns),
        .optional("hold", \.hold, .duration(.seconds(1)...(.seconds(86400)))),
    ])

    private static let cooldowns = Schema<CooldownSettings>([
        .value("ladder", \.ladder, ladder),
        .value("billingBackoffHours", \.billingBackoffHours, .count(1...720)),
        .value("billingMaxHours", \.billingMaxHours, .count(1...720)),
        .value("failureWindowHours", \.failureWindowHours, .count(1...8760)),
    ])

    /// At least one step, each no shorter than the one before.
    private static let ladder = Codec<[Duration]>(
        decode: { value, reading in
            guard let steps = steps.decode(value, &reading) else { return nil }
            if !steps.isEmpty, zip(steps, steps.dropFirst()).allSatisfy(<=) { return steps }
            reading.refuse(value, expected: "one to ten durations, none shorter than the one before")
            return nil
        },
        encode: steps.encode)
    private static let steps = Codec<[Duration]>.list(.duration(.seconds(1)...(.seconds(86400))), atMost: 10)

    /// What `auth.profiles` says of a profile, while it is read.
    private struct Declaration: Sendable {
        var provider = ""
        var mode: Profile.Kind?
    }

    private static let declaration = Codec<Declaration>.object(
        Declaration(), required: ["provider"],
        Schema([.value("provider", \.provider, .providerID), .optional("mode", \.mode, .choice(Profile.Kind.allCases))]))

    private static let declaredProfile = Codec<DeclaredProfile>(
        decode: { declaration.decode($0, &$1).map { DeclaredProfile(provider: $0.provider, mode: $0.mode?.rawValue) } },
        encode: { declaration.encode(Declaration(provider: $0.provider, mode: $0.mode.flatMap(Profile.Kind.init))) })

    private static let agents = Codec<[AgentSettings]>.list(
        .object(
            AgentSettings(id: "", isDefault: false, inherits: false, workspace: nil), required: ["id"],
            Schema([
                .value("id", \.id, .agentID), .value("default", \.isDefault, .truth), .value("inherit", \.inherits, .truth),
                .optional("workspace", \.workspace, .path),
            ])))

    private static let models = Schema<ModelSettings>([
        .value(
            "aliases", \.aliases,
            .map("an alias, without @", { (1...64).contains($0.utf8.count) && !$0.contains("@") ? $0 : nil }, to: .text("a model's name")))
    ])

    /// A field that anybody may send. An underscore is allowed here: it is only read.
    private static let sessionField = Codec<String>.checked("the name of a header that holds no credential, such as X-Session-Id") { name in
        let dashed = name.lowercased().replacing("_", with: "-")
        return FieldText.isName(dashed) && !FieldText.isFraming(dashed) && !FieldText.isCredential(dashed)
    }

    private static let sessions = Schema<SessionSettings>([
        .value("headers", \.headers, .list(sessionField, atMost: 32)),
        .value("promptCacheKey", \.promptCacheKey, .truth),
    ])

    private static let upstream = Schema<UpstreamSettings>([
        .optional("caFile", \.caFile, .path),
        .value("idlePerKey", \.idlePerKey, .count(0...1024)),
    ])

    private static let routes = Schema<RouteSettings>([
        .optional("default", \.default, .providerID),
        .value("hosts", \.hosts, .map("a host without its port", HostText.normalised, to: .providerID)),
    ])

    private static let gate = Schema<GateSettings>([
        .value("hosts", \.hosts, .list(.host)),
        .value("origins", \.origins, .list(.origin)),
    ])

    private static let clients = Schema<ClientSettings>([
        .value("uids", \.uids, .list(.count(0...Int(UInt32.max - 1)))),
        .value("loopback", \.loopback, .choice(ClientSettings.Loopback.allCases)),
    ])

    private static let replay = Schema<ReplaySettings>([
        .value("maxBytes", \.maxBytes, .size(0...(1 << 30))),
        .value("chunkedMaxBytes", \.chunkedMaxBytes, .size(0...(1 << 30))),
        .value("totalBytes", \.totalBytes, .size(0...(16 << 30))),
    ])

    private static let limits = Schema<LimitSettings>([
        .value("connections", \.connections, .count(1...1_000_000)),
        .optional("connectionsPerUser", \.connectionsPerUser, .count(1...1_000_000)),
        // As much as `HTTP.HeadLimits` can hold, which would lower more without a word.
        .value("headBytes", \.headBytes, .size((4 << 10)...(64 << 10))),
        .value("headFields", \.headFields, .count(16...128)),
        .optional("requestBody", \.requestBody, .size(0...(1 << 40))),
    ])

    private static let timeouts = Schema<TimeoutSettings>([
        .value("head", \.head, .duration(.seconds(1)...(.seconds(300)))),
        .value("keepAlive", \.keepAlive, .duration(.seconds(1)...(.seconds(3600)))),
        .value("bodyIdle", \.bodyIdle, .duration(.seconds(1)...(.seconds(3600)))),
        .value("streamStall", \.streamStall, .duration(.seconds(1)...(.seconds(3600)))),
        .value("connect", \.connect, .duration(.milliseconds(100)...(.seconds(300)))),
        .value("upstreamIdle", \.upstreamIdle, .duration(.seconds(1)...(.seconds(3600)))),
        .optional("firstByte", \.firstByte, .duration(.seconds(1)...(.seconds(86400)))),
        .value("drain", \.drain, .duration(.zero...(.seconds(3600)))),
    ])

    private static let log = Schema<LogSettings>([
        .value("level", \.level, .choice(LogSettings.Level.allCases)),
        .value("format", \.format, .choice(LogSettings.Format.allCases)),
    ])
}
