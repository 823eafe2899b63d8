internal import Credentials
internal import Files
internal import Glibc

/// The user's own systemd service, as `onboard` offers it.
struct OnboardUnit {
    /// Where a user's units are.
    let path: String
    let text: String

    /// What is there now.
    enum State: Equatable {
        case absent
        /// Just so.
        case present
        /// Somebody's own.
        case different
    }

    /// The unit for `installation`; nil where there is no systemd, or no home folder.
    init?(_ installation: Installation, _ options: GlobalOptions) {
        let surroundings = Surroundings.current
        guard let home = surroundings.home, ProcessEnvironment.program("systemctl", path: ProcessEnvironment.all["PATH"]) != nil else {
            return nil
        }
        path = home + "/.config/systemd/user/keybearer.service"
        // What decides where things are has to be the same for the service, which has neither our flags nor our environment.
        var words = ["serve"]
        if options.stateDirectory != nil || surroundings.environment["KEYBEARER_STATE_DIR"] != nil {
            words += ["--state-dir", installation.places.stateDirectory]
        }
        if let config = options.config {
            words += ["--config", config.hasPrefix("/") ? config : "\(surroundings.currentDirectory)/\(config)"]
        }
        let neighbours = ["OPENCLAW_STATE_DIR", "MOLTBOT_STATE_DIR", "CLAWDBOT_STATE_DIR"].compactMap { name in
            surroundings.environment[name].map { "\(name)=\($0)" }
        }
        text = Self.text(executable: Surroundings.executable, home: home, arguments: words, variables: neighbours)
    }

    var state: State {
        guard let contents = (try? PrivateFile.read(path)) ?? nil else { return unsafe access(path, F_OK) == 0 ? .different : .absent }
        return contents.bytes == Array(text.utf8) ? .present : .different
    }

    /// Writes it; the folders above it are made where they are missing, and left as they are where they are not.
    func write() throws {
        var folder = ""
        for name in path.split(separator: "/").dropLast() {
            folder += "/\(name)"
            if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST {
                throw Failure.failed("cannot make \(folder): \(unsafe String(cString: strerror(errno)))")
            }
        }
        try PrivateFile.replace(path, with: Array(text.utf8))
    }

    /// What a person does next.
    static let start = "systemctl --user daemon-reload && systemctl --user enable --now keybearer"

    /// The unit's text. Pure.
    ///
    /// - Parameter variables: `NAME=value`.
    static func text(executable: String, home: String, arguments: [String], variables: [String] = []) -> String {
        // The same for every user, where it can be.
        let usual = executable == "\(home)/.local/bin/keybearer" ? "%h/.local/bin/keybearer" : word(executable)
        let command = ([usual] + arguments.map(word)).joined(separator: " ")
        let environment = variables.map { "\nEnvironment=\(word($0))" }.joined()
        return template.replacing("ExecStart=%h/.local/bin/keybearer serve", with: "ExecStart=\(command)\(environment)")
    }

    /// One word of a command line, by systemd.service(5): specifiers and variables are not to be expanded.
    private static func word(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("%", with: "%%")
            .replacing("$", with: "$$")
        let isPlain = escaped.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || "/._-+=:,@%".utf8.contains(byte)
        }
        return isPlain ? escaped : "\"\(escaped)\""
    }

    /// `config/systemd/keybearer.service`, word for word.
    static let template = """
        # A user's own service: the credentials are the user's, so nothing runs as root.
        #   cp keybearer.service ~/.config/systemd/user/ && systemctl --user enable --now keybearer
        #   loginctl enable-linger        # to keep it running when you are logged out
        [Unit]
        Description=Keybearer, a local proxy that keeps model-API credentials
        StartLimitIntervalSec=60
        StartLimitBurst=5

        [Service]
        # It says when it serves, and when it has read its settings again: `systemctl --user reload keybearer`. With systemd 253 or later
        # notify-reload does the same without ExecReload.
        Type=notify
        ExecStart=%h/.local/bin/keybearer serve
        ExecReload=/bin/kill -HUP $MAINPID
        Restart=on-failure
        RestartSec=2
        # Wrong settings (78) or a wrong command line (64) do not get better by trying again.
        RestartPreventExitStatus=64 78
        # Streams get 30 s to end, and a refresh in flight up to 35 s to be stored: killing it could lose a login.
        TimeoutStopSec=90
        KillMode=mixed

        UMask=0077
        LimitCORE=0
        LimitNOFILE=65536
        NoNewPrivileges=yes
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        SystemCallArchitectures=native
        # Netlink: whose socket a client's is, and name look-up.
        RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

        [Install]
        WantedBy=default.target

        """
}
