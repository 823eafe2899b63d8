import Credentials
import Digest
import JSON

/// What a token endpoint's answer means. Decided by status and error code, never by prose (DESIGN §7; spec/threats.md §3).
enum TokenVerdict {
    /// A token for this profile.
    case renewed(RenewedTokens)
    /// The refresh token is dead: only a person can help.
    case refused(RefreshFailure)
    /// Anything else: the refresh token is kept and tried again later.
    case failed(RefreshFailure)

    /// Reads the answer to the refresh of `profile`.
    init(_ answer: JournalledAnswer, for profile: Profile, by client: OAuthClient) {
        guard (200...299).contains(answer.status) else {
            self = Self.refusal(answer, client)
            return
        }
        do throws(RefreshFailure) {
            self = .renewed(try Self.tokens(answer, for: profile, client.answer))
        } catch {
            self = .failed(error)
        }
    }

    /// The answers that end a refresh token, with a status of 400 or 401 only.
    static let definiteCodes: Set<String> = [
        "invalid_grant", "refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated",
    ]

    /// The life of a token whose answer does not tell it and that is no JWT: short enough to be renewed in time, and a wrong guess
    /// costs one 401 and a forced refresh.
    static let assumedLife: Int64 = 3600 * 1000

    private static func refusal(_ answer: JournalledAnswer, _ client: OAuthClient) -> TokenVerdict {
        let codes = errorCodes((try? Reader.parse(answer.body.bytes)) ?? .null)
        let isFinalStatus = answer.status == 400 || answer.status == 401
        let code = codes.first { definiteCodes.contains($0) || client.refusedCodes.contains($0) }
        if isFinalStatus && code != nil || client.refusedStatuses.contains(answer.status) {
            return .refused(RefreshFailure(.refused, status: answer.status, code: code ?? codes.first))
        }
        return .failed(RefreshFailure(.status, status: answer.status, code: codes.first))
    }

    /// RFC 6749 §5.2 has a string `error`; OpenAI nests an object with `code` (and a coarser `type`).
    private static func errorCodes(_ answer: Value) -> [String] {
        guard let error = answer["error"] else { return [] }
        return [error.string, error["code"]?.string, error["type"]?.string].compactMap { $0 }.filter(isCode)
    }

    /// Something that looks like a code, and so can be shown: never free text.
    private static func isCode(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || "_-.".utf8.contains($0)
            }
    }

    private static func tokens(
        _ answer: JournalledAnswer, for profile: Profile, _ rules: AnswerRules
    ) throws(RefreshFailure) -> RenewedTokens {
        do throws(Flaw) {
            guard let root = try? Reader.parse(answer.body.bytes), let members = root.object else { throw Flaw("no JSON object") }
            if let word = root.member(at: rules.status)?.string, !rules.granted.contains(word) {
                throw Flaw("\(rules.status.joined(separator: ".")) is \(ErrorCode.printable(word) ?? "none of those that mean a token")")
            }
            if let type = members["token_type"], type.string?.lowercased() != "bearer" { throw Flaw("token_type is not bearer") }
            guard let access = try token(root, rules.access) else { throw Flaw("no \(rules.access.joined(separator: "."))") }
            let claims = AccessTokenClaims(access)
            let idToken = try? token(root, ["id_token"])
            let all = [claims, idToken.flatMap { AccessTokenClaims($0) }].compactMap { $0 }
            let account = found(root, rules.account, all, rules.accountClaim) ?? claims?.accountID
            if let expected = profile.accountID, let account, account != expected { throw Flaw(reason: .otherAccount) }
            let end = try end(root.member(at: rules.expiry), rules, answer.receivedAt)
            var tokens = RenewedTokens(
                access: access, refresh: try token(root, rules.refresh),
                expires: end ?? claims?.expiry ?? answer.receivedAt + assumedLife, idToken: idToken)
            tokens.accountID = account
            tokens.email = found(root, rules.email, all, rules.emailClaim)
            tokens.baseURL = rules.address(in: root)
            return tokens
        } catch {
            throw RefreshFailure(error.reason, status: answer.status, detail: error.detail)
        }
    }

    /// The token at `path`; nil when it is absent, null or empty.
    private static func token(_ root: Value, _ path: [String]) throws(Flaw) -> Secret? {
        guard let value = root.member(at: path), !value.isNull, value.string?.isEmpty != true else { return nil }
        guard let secret = value.string.flatMap({ Secret($0) }) else {
            throw Flaw("\(path.joined(separator: ".")) is no string of visible ASCII")
        }
        return secret
    }

    /// What the answer says, else the first of the tokens' claims.
    private static func found(_ root: Value, _ path: [String], _ claims: [AccessTokenClaims], _ claim: [String]) -> String? {
        if let text = root.member(at: path)?.string, !text.isEmpty { return text }
        return claim.isEmpty ? nil : claims.lazy.compactMap { $0.claim(at: claim) }.first
    }

    /// The end of the access token in ms since 1970; nil when the answer has none. Some servers write numbers as strings.
    private static func end(_ value: Value?, _ rules: AnswerRules, _ now: Int64) throws(Flaw) -> Int64? {
        guard let value, !value.isNull else { return nil }
        guard let end = rules.expiryForm.end(value, now: now) else {
            let expected = rules.expiryForm == .life ? "is no positive number" : "is not written as it should be"
            throw Flaw("\(rules.expiry.joined(separator: ".")) \(expected)")
        }
        return end
    }

    /// What is wrong with a 2xx answer.
    private struct Flaw: Error {
        let reason: RefreshFailure.Reason
        let detail: String?

        init(_ detail: String) {
            reason = .invalidAnswer
            self.detail = detail
        }

        init(reason: RefreshFailure.Reason) {
            self.reason = reason
            detail = nil
        }
    }
}
