internal import ArgumentParser
internal import JSON

/// `keybearer doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look for what is wrong on this machine, and say what to do about it.",
        discussion: """
            Looks at permissions, leftovers, profiles, the clock, trust anchors, ports, proxies, and at tools that talk past Keybearer or \
            share a login with it. Asks no provider and shows no secret. The exit code is 1 when there is a problem left; warnings and \
            notes are no problem. --fix repairs modes, and removes stale temporary files and locks, and nothing else.

            EXAMPLES
              keybearer doctor
              keybearer doctor --fix
              keybearer doctor --json | jq '.findings[] | select(.severity == "problem")'
            """)

    @Flag(help: "Repair modes, and remove stale temporary files and locks.")
    var fix = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        // First of all: reading the store closes a file that others could read, and would hide what is to be found.
        let modes = DoctorModes.look(options)
        let installation = try Installation(options)
        var findings = modes.findings(in: installation) + DoctorFiles(installation).findings
        findings += DoctorProfiles(installation).findings + DoctorFamilies(installation).findings
        findings += DoctorSurroundings(installation).findings + DoctorTools(installation).findings
        if fix { for index in findings.indices { findings[index].repair() } }
        // Stable: within one severity the order of the checks stays.
        let sorted = Finding.Severity.allCases.flatMap { severity in findings.filter { $0.severity == severity } }
        if json { Output.json(Self.document(sorted)) } else { print(sorted) }
        if sorted.contains(where: { $0.severity == .problem && !$0.isFixed }) { throw ExitCode.failure }
    }

    private func print(_ findings: [Finding]) {
        guard !findings.isEmpty else { return Output.line("nothing found: all is well") }
        for finding in findings {
            Output.line("\(finding.isFixed ? "fixed" : finding.severity.rawValue): \(finding.message)")
            if !finding.isFixed { Output.line("  → \(finding.advice)") }
            if let failure = finding.failure { Output.line("  could not be fixed: \(failure)") }
        }
        let fixable = findings.count { $0.fix != nil && !$0.isFixed }
        if fixable > 0, !fix { Output.line("\n\(fixable) of these can be repaired: keybearer doctor --fix") }
    }

    private static func document(_ findings: [Finding]) -> Value {
        let problems = findings.count { $0.severity == .problem && !$0.isFixed }
        return [
            "ok": .bool(problems == 0),
            "findings": .array(
                findings.map {
                    [
                        "code": .string($0.code), "severity": .string($0.severity.rawValue), "message": .string($0.message),
                        "advice": .string($0.advice), "fixable": .bool($0.fix != nil), "fixed": .bool($0.isFixed),
                    ]
                }),
        ]
    }
}

/// Something that the doctor found.
struct Finding {
    enum Severity: String, CaseIterable {
        /// It fails, or will.
        case problem
        /// It may fail, or leads past us.
        case warning
        /// To be known.
        case note
    }

    let severity: Severity
    /// For scripts.
    let code: String
    /// What is so; never a secret.
    let message: String
    /// What to do.
    let advice: String
    /// Repairs it, where that is safe without asking.
    let fix: (() throws -> Void)?
    private(set) var isFixed = false
    /// Why the repair failed.
    private(set) var failure: String?

    init(_ severity: Severity, _ code: String, _ message: String, advice: String, fix: (() throws -> Void)? = nil) {
        self.severity = severity
        self.code = code
        self.message = message
        self.advice = advice
        self.fix = fix
    }

    /// Repairs it, if it can be.
    mutating func repair() {
        guard let fix else { return }
        do {
            try fix()
            isFixed = true
        } catch {
            failure = Failure(error)?.description ?? "\(error)"
        }
    }
}
