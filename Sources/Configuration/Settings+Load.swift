internal import JSON

extension Settings {
    /// The settings that texts and flags make: built-in values, then each provider file, then the settings file, then the flags.
    ///
    /// - Throws: every flaw of every text at once.
    public init(
        file: SettingsText? = nil, providerFiles: [SettingsText] = [], overrides: SettingsOverrides = SettingsOverrides()
    ) throws(SettingsError) {
        self.init(providerEntries: Catalogue.builtIn)
        var problems: [SettingsError.Problem] = []
        var places: [String: Reading.Place] = [:]
        var meant: [String: [String]] = [:]
        for text in providerFiles {
            let before = providerEntries
            for index in providerEntries.indices { providerEntries[index].sendsElsewhere = false }
            // Below `providers`, so that a flaw reads the same wherever the provider is written.
            Self.read(text, under: "providers", &places, &problems) { ProviderSchema.merge($0, into: &providerEntries, &$1) }
            var check = CrossCheck(places: places)
            meant[text.path] = check.destinations(from: before, to: providerEntries, by: text.path)
            problems += check.problems
            notices += check.notices
        }
        if let file {
            Self.read(file, under: "", &places, &problems) { SettingsSchema.root.apply($0, to: &self, &$1) }
        }
        origins = Origins(places)
        problems += apply(overrides)
        var check = CrossCheck(places: places, known: problems)
        check.references(of: self)
        check.borrowings(among: providerEntries, of: providerFiles.map(\.path), meant: meant)
        providers = Catalogue.resolve(self, &check)
        problems += check.problems
        guard problems.isEmpty else { throw SettingsError(problems) }
    }

    private static func read(
        _ text: SettingsText, under path: String, _ places: inout [String: Reading.Place], _ problems: inout [SettingsError.Problem],
        _ apply: (LocatedValue, inout Reading) -> Void
    ) {
        var reading = Reading(source: text.path, under: path, places: places)
        do throws(SyntaxError) {
            apply(try JSON5Reader.parse(text.bytes), &reading)
        } catch {
            reading.syntax(error)
        }
        places = reading.places
        problems += reading.problems
    }

    /// Flags go through the checks of the members they stand for.
    private mutating func apply(_ overrides: SettingsOverrides) -> [SettingsError.Problem] {
        var root = self
        var problems: [SettingsError.Problem] = []
        let flags: [(flag: String, member: String, value: LocatedValue.Kind?)] = [
            (
                "--listen", "listen",
                overrides.listen.isEmpty ? nil : .array(overrides.listen.map { LocatedValue(.string($0), line: 0, column: 0) })
            ),
            ("--workers", "workers", overrides.workers.map { .number(NumberText(Int64($0))) }),
            ("--log-level", "log.level", overrides.logLevel.map { .string($0) }),
        ]
        for (flag, member, kind) in flags {
            guard let kind else { continue }
            var reading = Reading(source: flag)
            // log.level → { log: { level: … } }
            let value = member.split(separator: ".").reversed().reduce(LocatedValue(kind, line: 0, column: 0)) { inner, name in
                LocatedValue(.object([LocatedValue.Member(name: String(name), line: 0, column: 0, value: inner)]), line: 0, column: 0)
            }
            SettingsSchema.root.apply(value, to: &root, &reading)
            problems += reading.problems.map {
                SettingsError.Problem(source: flag, line: nil, column: nil, member: $0.member, message: $0.message)
            }
            root.origins.set(member, .flag(flag))
        }
        self = root
        for text in overrides.insecureListen {
            do throws(ListenAddress.Flaw) {
                insecureListen.append(try ListenAddress.parseAny(text))
            } catch {
                let message = "expected a numeric address and a port, such as \"192.168.1.10:5392\" or \"0.0.0.0:5392\""
                problems.append(
                    SettingsError.Problem(source: "--insecure-listen", line: nil, column: nil, member: "listen", message: message))
            }
        }
        return problems
    }
}
