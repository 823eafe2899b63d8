public import Children
import Digest
import Files
import JSON
import Synchronization

/// Where references lead by our own settings, the secrets that programs have said, and the door to those programs: one for a process.
/// What has been said once is remembered, in memory alone, until it is asked for again on purpose; a program is run when a profile that
/// needs it is used, and not before.
public final class SecretPrograms: Sendable {
    /// By our settings; they go before a neighbour's of the same alias.
    let places: SecretPlaces
    let run: @Sendable ([Program]) -> [Result<[UInt8], ProgramFailure>]
    let environment: @Sendable (String) -> String?
    private let known = Mutex<[Key: Result<Secret, UnresolvedReference>]>([:])

    /// A reference to a program, as far as it decides about the answer.
    struct Key: Hashable {
        let alias: String
        let command: SecretCommand
        let id: String
    }
    /// References that are asked in one question.
    private struct Batch: Hashable {
        let alias: String
        let command: SecretCommand
    }

    /// Programs that `runner` runs.
    public convenience init(_ places: SecretPlaces = SecretPlaces(), _ runner: Runner) {
        self.init(places, run: { runner.run($0) }, environment: SecretResolver.variable)
    }

    init(
        _ places: SecretPlaces = SecretPlaces(),
        run: @escaping @Sendable ([Program]) -> [Result<[UInt8], ProgramFailure>], environment: @escaping @Sendable (String) -> String?
    ) {
        self.places = places
        self.run = run
        self.environment = environment
    }

    /// What is known of a reference; nil when its program has not been run.
    func answer(to key: Key) -> Result<Secret, UnresolvedReference>? { known.withLock { $0[key] } }

    /// Runs the programs behind `keys`, one time each, and remembers what they say. Blocks for as long as they may take.
    func follow(_ keys: [Key]) {
        var ids: [Batch: [String]] = [:]
        for key in keys { ids[Batch(alias: key.alias, command: key.command), default: []].append(key.id) }
        var (batches, programs): ([Batch], [Program]) = ([], [])
        for (batch, wanted) in ids {
            do throws(UnresolvedReference) {
                programs.append(try program(batch, wanted))
                batches.append(batch)
            } catch {
                note(batch, Dictionary(wanted.map { ($0, .failure(error)) }) { first, _ in first })
            }
        }
        for (batch, result) in zip(batches, run(programs)) {
            let wanted = ids[batch] ?? []
            switch result {
            case .success(var output):
                note(batch, SecretProtocol.answers(output, to: wanted, jsonOnly: batch.command.jsonOnly))
                Memory.cleanse(&output)
            case .failure(let failure):
                let reason = UnresolvedReference("leads to \(batch.command.command), which \(failure)")
                note(batch, Dictionary(wanted.map { ($0, .failure(reason)) }) { first, _ in first })
            }
        }
    }

    private func program(_ batch: Batch, _ ids: [String]) throws(UnresolvedReference) -> Program {
        let command = batch.command
        let path: String
        do throws(FileError) {
            path = try TrustedProgram.check(
                command.command,
                TrustedProgram.Rules(
                    trustedDirectories: command.trustedDirs, allowsInsecurePath: command.allowInsecurePath,
                    allowsLink: command.allowSymlinkCommand))
        } catch {
            throw UnresolvedReference("leads to a program that is not run: \(error.description)")
        }
        var variables = command.env
        for name in command.passEnv where variables[name] == nil { variables[name] = environment(name) }
        return Program(
            path, command.args, environment: variables, input: try SecretProtocol.question(ids, alias: batch.alias),
            timeout: command.timeout, silence: command.noOutputTimeout, outputLimit: command.maxOutputBytes)
    }

    private func note(_ batch: Batch, _ answers: [String: Result<Secret, UnresolvedReference>]) {
        known.withLock { known in
            for (id, answer) in answers { known[Key(alias: batch.alias, command: batch.command, id: id)] = answer }
        }
    }
}

extension AgentStore {
    /// Asks the programs that the profiles `ids` (nil: all) refer to for their secrets, anew where they have been asked before; then what
    /// the store holds. Blocks for as long as the programs may take: no call for an event loop, and never made under a lock.
    public func following(_ ids: Set<String>?) throws(StoreError) -> StoreSnapshot {
        guard let programs else { return try load() }
        var resolver = self.resolver
        let document = try document()
        var keys: [SecretPrograms.Key] = []
        for profile in document.read().profiles where profile.hasUnresolvedReference && ids?.contains(profile.id) ?? true {
            keys += resolver.programs(of: SecretReference.all(in: document.entry(profile.id) ?? [:], kind: profile.kind))
        }
        if !keys.isEmpty { programs.follow(keys) }
        return try load()
    }
}
