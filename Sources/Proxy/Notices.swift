internal import Children
internal import Files
internal import Glibc
internal import Sockets
internal import Synchronization

/// Tells a person who may not be looking at a log that a request waits for them: the terminal's bell, and a notification where the desktop
/// takes one. At most one a minute, and never on a thread that serves.
final class Notices: Sendable {
    private static let interval: Int64 = 60_000
    private static let notifier = "/usr/bin/notify-send"
    private static let rules = TrustedProgram.Rules(allowsLink: true)
    /// What a desktop's programs need to find the desktop.
    private static let variables = ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"]

    private let runner: Runner?
    private let last = Atomic<Int64>(-interval)

    init(runner: Runner?) { self.runner = runner }

    /// A request waits until somebody has logged in.
    func loginNeeded(_ profile: String?) {
        let now = Clock.monotonic()
        let before = last.load(ordering: .relaxed)
        guard now - before >= Self.interval, last.compareExchange(expected: before, desired: now, ordering: .relaxed).exchanged else {
            return
        }
        let runner = runner
        Thread(name: "kb-notice") {
            if isatty(STDERR_FILENO) == 1 { _ = unsafe write(STDERR_FILENO, "\u{7}", 1) }
            guard let runner, let notifier = try? TrustedProgram.check(Self.notifier, Self.rules) else { return }
            let text = "A request waits: log in again\(profile.map { " as \($0)" } ?? "") with `keybearer models auth login`."
            // What became of it is nothing that a request depends on.
            _ = runner.run(Program(notifier, ["Keybearer", text], environment: Self.desktop))
        }.detach()
    }

    private static var desktop: [String: String] {
        var found: [String: String] = [:]
        for name in variables { if let value = unsafe getenv(name) { found[name] = unsafe String(cString: value) } }
        return found
    }
}
