internal import Credentials
internal import OAuth

/// What a person is told to do. Pure.
struct LoginInstructions {
    let provider: String
    let ways: LoginWays
    /// The provider's page; nil where only a device code is used.
    let address: String?
    let redirect: LoopbackRedirect?
    let device: DeviceCode?
    /// The port could not be had.
    let portIsTaken: Bool
    let browserWasOpened: Bool

    /// The lines to show before the wait.
    var lines: [String] {
        var lines: [String] = []
        if portIsTaken, let port = redirect?.port {
            lines.append("Port \(port) is taken by another program (another login?), so that the browser cannot come back to this one.")
        }
        lines += device.map(deviceLines) ?? []
        guard let address, ways.callback || ways.paste else { return lines }
        if let tunnel = ways.tunnel, ways.callback {
            lines += ["", "Or, from the machine with your browser, run", "    \(tunnel)", "and, while it is connected, open there"]
        } else if device != nil {
            lines += ["", "Or open"]
        } else if browserWasOpened {
            lines.append("Your browser opens, to log in to \(provider). If it does not, open")
        } else {
            lines.append("To log in to \(provider), open")
        }
        lines += ["    \(address)", ""]
        if ways.paste { lines.append(pasteLine) }
        return lines
    }

    private func deviceLines(_ device: DeviceCode) -> [String] {
        var lines = [
            "To log in to \(provider), open on any device", "    \(device.pageURL)", "and enter the code", "    \(device.userCode)",
        ]
        if let complete = device.completeURL { lines += ["or open", "    \(complete)"] }
        return lines + ["Never give this code to anyone who asks you for it."]
    }

    private var pasteLine: String {
        let end = redirect.map { "\($0.uri)?…" } ?? "its last page"
        if ways.callback {
            return "You can also paste here, at any moment, the address at which the browser ended (\(end)); it is not shown."
        }
        return "The browser will end at an address it cannot open (\(end)). Copy that address and paste it here; it is not shown."
    }
}

/// What is said to a line that was pasted and is no answer.
enum PasteAdvice {
    /// Nil when there is nothing to say.
    static func text(_ reading: PasteParser.Reading) -> String? {
        switch reading {
        case .answer, .empty: nil
        case .requestAddress: "That is the address to open. Paste the one at which the browser ends, after you have logged in."
        case .withoutCode: "There is no code in that address. Log in first; then paste the address at which the browser ends."
        case .unreadable: "That is neither an address nor a code. Paste the whole address at which the browser ended."
        }
    }

    /// For an answer that was not accepted.
    static func text(_ failure: LoginFailure) -> String {
        switch failure.reason {
        case .wrongState: "That address belongs to another login. Open the address above, and paste the one it leads to."
        default: "That was not accepted: \(failure)."
        }
    }
}
