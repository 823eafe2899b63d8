internal import Credentials
internal import Logging
internal import OAuth
internal import Routing
internal import Sockets

/// The control plane's log: what a person wants to be told, in one sentence each. A secret has no way into it: every entry is made of
/// ids, codes and our own words, and what writes it looks once more (`KnownSecrets`).
struct EventLog: Sendable {
    let logger: Logger

    func listening(_ addresses: [String]) { logger.info("listening on \(addresses.joined(separator: ", "))") }
    func store(_ agent: String, _ problem: String) { logger.warning("credential store of agent \(agent): \(problem)") }
    func storeChanged(_ agent: String) { logger.debug("credential store of agent \(agent) read again") }
    func held(_ refusal: Refusal, request: String, seconds: Int64) {
        logger.warning("request \(request) waits up to \(seconds) s: \(refusal.code.rawValue): \(refusal.message)")
    }
    func usage(_ agent: String, _ problem: String) {
        logger.warning("cooldowns of agent \(agent) are kept in memory only for now: \(problem)")
    }
    func resting(_ key: ProfileKey, _ rest: Cooldown?, now: Int64) {
        guard let rest else { return }
        logger.info("\(key.profileID) (agent \(key.agentID)) rests: \(rest.text(now: now))")
    }
    func draining(_ connections: Int) { logger.info("draining: \(connections) connections finish, new ones are refused") }
    func stopped() { logger.info("stopped") }
    func noControl(_ why: String) { logger.notice("no control socket: \(why); commands do not speak to this server") }
    func strangerRefused(_ user: UInt32?) {
        let who = user.map { "user \($0)" } ?? "a caller whom the kernel does not name"
        logger.warning("refused \(who): only this user's processes are served (clients.uids adds others); said once")
    }
    func sessionsUnsaved(_ why: String) { logger.warning("sessions were not written down and would not survive a restart: \(why)") }
    func clientTooBusy() { logger.warning("an HTTP/2 connection was ended: too many resets, pings or empty frames (ENHANCE_YOUR_CALM)") }
    func acceptPaused(_ why: String) { logger.warning("accepting pauses: \(why)") }
    func acceptResumed() { logger.info("accepting goes on") }
    func clientsTaken(_ keys: Int, _ origins: Int) { logger.info("\(keys) client keys and \(origins) admitted pages are in force") }
    func clientsRefused(_ why: String) { logger.error("client keys were read again and are wrong; the last ones stay in force: \(why)") }
    func insecure(_ address: String) {
        logger.warning(
            "\(address) is open to the network WITHOUT TLS (--insecure-listen): whoever can listen there reads client keys, prompts and answers"
        )
    }
    func networked(_ address: String) { logger.notice("\(address) is open to the network, over TLS: for requests with a client key alone") }
    func settingsTaken(_ fixed: [String], _ notices: [String]) {
        for notice in notices { logger.warning("\(notice)") }
        let rest = fixed.isEmpty ? "" : "; not before a restart: \(fixed.joined(separator: ", "))"
        logger.notice("the settings have been read again and are in force\(rest)")
    }
    func settingsRefused(_ why: String) { logger.error("the settings were read again and are wrong; the last ones stay in force: \(why)") }

    func refresh(_ key: ProfileKey, _ outcome: RefreshOutcome) {
        switch outcome {
        case .refreshed: logger.info("refreshed \(key.profileID) (agent \(key.agentID))")
        case .adopted: logger.info("\(key.profileID) (agent \(key.agentID)) had been refreshed by another process")
        case .unchanged: logger.debug("\(key.profileID) (agent \(key.agentID)) needed no refresh")
        case .transient(let failure, _): logger.warning("refresh of \(key.profileID) (agent \(key.agentID)) failed for now: \(failure)")
        case .needsLogin(let failure): logger.error("\(key.profileID) (agent \(key.agentID)) must be logged in again: \(failure)")
        }
    }

    func recovery(_ key: ProfileKey, _ failure: RefreshFailure) {
        logger.warning("what a crash left of a refresh of \(key.profileID) (agent \(key.agentID)) could not be settled yet: \(failure)")
    }

    func echoed(_ key: ProfileKey, provider: String) {
        logger.warning(
            "\(provider) sent a secret of \(key.profileID) (agent \(key.agentID)) back in an answer; it was masked. Said once; /-/status counts"
        )
    }

    func refused(_ refusal: Refusal, request: String) {
        logger.warning("request \(request): \(refusal.code.rawValue): \(refusal.message)")
    }
}
