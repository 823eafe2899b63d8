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
    init(_ answer: JournalledAnswer, for profile: Profile) {
        guard (200...299).contains(answer.status) else {
            self = Self.refusal(answer)
            return
        }
        do throws(RefreshFailure) {
            self = .renewed(try Self.tokens(answer, for: profile))
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

    private static func refusal(_ answer: JournalledAnswer) -> TokenVerdict {
        let codes = errorCodes((try? Reader.parse(answer.body.bytes)) ?? .null)
        let isFinalStatus = answer.status == 400 || answer.status == 401
        if isFinalStatus, let code = codes.first(where: definiteCodes.contains) {
            return .refused(RefreshFailure(.refused, status: answer.status, code: code))
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

    private static func tokens(_ answer: JournalledAnswer, for profile: Profile) throws(RefreshFailure) -> RenewedTokens {
        do throws(Flaw) {
            guard let members = (try? Reader.parse(answer.body.bytes))?.object else { throw Flaw("no JSON object") }
            if let type = members["token_type"], type.string?.lowercased() != "bearer" { throw Flaw("token_type is not bearer") }
            guard let access = try token(members, "access_token") else { throw Flaw("no access_token") }
            let claims = AccessTokenClaims(access)
            if let expected = profile.accountID, let account = claims?.accountID, account != expected { throw Flaw(reason: .otherAccount) }
            let end = try lifetime(members["expires_in"]).map { answer.receivedAt + $0 }
            return RenewedTokens(
                access: access, refresh: try token(members, "refresh_token"),
                expires: end ?? claims?.expiry ?? answer.receivedAt + assumedLife, idToken: try? token(members, "id_token"))
        } catch {
            throw RefreshFailure(error.reason, status: answer.status, detail: error.detail)
        }
    }

    /// The token called `name`; nil when it is absent, null or empty.
    private static func token(_ members: Object, _ name: String) throws(Flaw) -> Secret? {
        guard let value = members[name], !value.isNull, value.string?.isEmpty != true else { return nil }
        guard let secret = value.string.flatMap({ Secret($0) }) else { throw Flaw("\(name) is no string of visible ASCII") }
        return secret
    }

    /// `expires_in` in ms; nil when it is absent. Some servers write the seconds as a string.
    private static func lifetime(_ value: Value?) throws(Flaw) -> Int64? {
        guard let value, !value.isNull else { return nil }
        guard let seconds = value.double ?? value.string.flatMap({ Double($0) }), seconds > 0 else {
            throw Flaw("expires_in is no positive number")
        }
        return Int64(min(seconds, 1e11) * 1000)
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
