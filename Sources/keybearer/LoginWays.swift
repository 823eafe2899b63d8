internal import Credentials
internal import OAuth

/// What decides how a person can log in from here. Pure.
struct LoginSurroundings: Equatable {
    /// Somebody may paste.
    var hasTerminal: Bool
    /// A browser started here would not be seen: another machine's terminal, a container, or no display.
    var isHeadless: Bool
    /// `user@host` for ssh from the machine with the browser.
    var sshTarget: String

    /// Those of this process.
    static var current: LoginSurroundings {
        LoginSurroundings(hasTerminal: LoginTerminal.isThere, environment: ProcessEnvironment.all, host: LoginTerminal.hostName)
    }

    /// By the rules of spec/credential-formats.md §4.1.
    init(hasTerminal: Bool, environment: [String: String], host: String) {
        let isSet: (String) -> Bool = { environment[$0]?.isEmpty == false }
        self.hasTerminal = hasTerminal
        let isRemote = ["SSH_CLIENT", "SSH_TTY", "SSH_CONNECTION", "REMOTE_CONTAINERS", "CODESPACES"].contains(where: isSet)
        let hasDisplay = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].contains(where: isSet)
        isHeadless = isRemote || !hasDisplay
        // SSH_CONNECTION: client address and port, our address and port. Ours is what the other machine reached.
        let address = environment["SSH_CONNECTION"]?.split(separator: " ").dropFirst(2).first.map(String.init)
        let name = [address, host].compactMap { $0 }.first { !$0.isEmpty && $0.utf8.allSatisfy(Self.isHostByte) } ?? "HOST"
        let user = ["USER", "LOGNAME"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty && $0.utf8.allSatisfy(Self.isHostByte) }
        sshTarget = user.map { "\($0)@\(name)" } ?? name
    }

    /// What is printed for copying into a shell.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "-._:%".utf8.contains(byte)
        }
    }
}

/// The ways by which this login may end; whichever is first does. Pure.
struct LoginWays: Equatable {
    /// What was asked for on the command line.
    enum Wish {
        case device, paste
    }

    /// A code to confirm on any device.
    var device: Bool
    /// A callback from a browser that can reach this machine's loopback.
    var callback: Bool
    /// A browser started from here.
    var browser: Bool
    /// A line on standard input.
    var paste: Bool
    /// How to bring a browser elsewhere to our loopback; nil where it is here.
    var tunnel: String?

    /// - Throws: `Failure` when there is no way.
    init(wish: Wish?, opensBrowser: Bool, client: OAuthClient, rules: LoginRules, surroundings: LoginSurroundings) throws {
        let hasPage = client.authorizeURL != nil && rules.redirect != nil
        let hasDevice = rules.device != nil
        switch wish {
        case .device:
            guard hasDevice else { throw Failure.usage("this provider has no device login; leave --device-code out") }
            self.init(device: true, callback: false, browser: false, paste: false, tunnel: nil)
        case .paste:
            guard hasPage else { throw Failure.usage("this provider has no login by browser; leave --paste out") }
            self.init(device: false, callback: false, browser: opensBrowser && !surroundings.isHeadless, paste: true, tunnel: nil)
        case nil:
            guard hasPage || hasDevice else { throw Failure.configuration("this provider's data names no way to log in") }
            let isRemote = surroundings.isHeadless
            self.init(
                device: hasDevice && (isRemote || !hasPage), callback: hasPage, browser: hasPage && opensBrowser && !isRemote,
                paste: hasPage && surroundings.hasTerminal, tunnel: nil)
            if isRemote, hasPage, let port = rules.redirect?.port {
                tunnel = "ssh -L \(port):127.0.0.1:\(port) \(surroundings.sshTarget)"
            }
        }
    }

    private init(device: Bool, callback: Bool, browser: Bool, paste: Bool, tunnel: String?) {
        self.device = device
        self.callback = callback
        self.browser = browser
        self.paste = paste
        self.tunnel = tunnel
    }

    /// Somebody else has the port: what is left.
    var withoutCallback: LoginWays {
        LoginWays(device: device, callback: false, browser: browser, paste: paste, tunnel: nil)
    }

    /// The provider gave no device code: what is left.
    var withoutDevice: LoginWays {
        LoginWays(device: false, callback: callback, browser: browser, paste: paste, tunnel: tunnel)
    }

    /// Whether a login can end at all.
    var isOpen: Bool { device || callback || paste }
}
