internal import ArgumentParser
internal import Credentials
internal import Glibc
internal import OAuth
internal import Synchronization

/// A moment of a refresh at which the self-test's child does something to itself. Each is the call of something that the refresher is
/// given: its clock, its environment, its transport (DESIGN §7 has the steps).
enum SelftestPoint: String, ExpressibleByArgument {
    /// Before anything.
    case start
    /// Steps 2 and 3: the lane is held, and the store was read under its lock.
    case laneEntered
    /// Step 4: the request is about to be made.
    case durabilityProved
    /// Step 5: the intent is on the disk, nothing was sent.
    case intentJournalled
    /// Step 6: the answer is in memory only.
    case answered
    /// Step 9: all is done.
    case closed
}

/// What the child does to itself there.
enum SelftestAct: String, ExpressibleByArgument {
    /// SIGKILL.
    case kill
    /// SIGSTOP, until someone sends SIGCONT.
    case stop
    /// From now on no file can grow beyond 64 KiB: the journal, which is preallocated, can be written, a larger store not.
    case fill
    /// From now on nothing can be written, until the refresher pauses to try again.
    case refuse
}

/// Something that happens at one moment of a refresh, once.
final class SelftestTrip: Sendable {
    private struct State {
        var isSprung = false
        var isRefusing = false
        var jump: Int64
        var hasAnswer = false
    }

    private let point: SelftestPoint?
    private let act: SelftestAct
    private let fixedTime: Int64?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - point: nil for a refresh that is left alone.
    ///   - fixedTime: what the clock says all along, in ms since 1970; nil for the system's.
    ///   - jump: by how many ms the clock is off once the answer is there.
    init(_ point: SelftestPoint?, _ act: SelftestAct, fixedTime: Int64?, jump: Int64) {
        self.point = point
        self.act = act
        self.fixedTime = fixedTime
        state = Mutex(State(jump: jump))
    }

    /// Acts if this is the moment.
    func pass(_ moment: SelftestPoint) {
        guard moment == point,
            state.withLock({ state in
                defer { state.isSprung = true }
                return !state.isSprung
            })
        else { return }
        switch act {
        case .kill: _ = Glibc.kill(getpid(), SIGKILL)
        case .stop: _ = Glibc.kill(getpid(), SIGSTOP)
        case .fill: Self.limitFiles(to: 64 << 10)
        case .refuse:
            state.withLock { $0.isRefusing = true }
            Self.limitFiles(to: 0)
        }
    }

    /// Notes that the answer is there.
    func noteAnswer() { state.withLock { $0.hasAnswer = true } }

    /// The refresher's clock. The pauses between refreshes of one client, a courtesy to real providers, are left out.
    var clock: WallClock {
        WallClock(
            now: {
                self.pass(.laneEntered)
                let jump = self.state.withLock { $0.hasAnswer ? $0.jump : 0 }
                return (self.fixedTime ?? WallClock.system.now()) + jump
            },
            sleep: { duration in
                let wasRefusing = self.state.withLock { state in
                    defer { state.isRefusing = false }
                    return state.isRefusing
                }
                guard wasRefusing else { return }
                Self.limitFiles(to: nil)
                WallClock.system.sleep(duration)
            })
    }

    /// The refresher's environment: it is asked for the client's secret when the request is made.
    func variable(_ name: String) -> String? {
        pass(.durabilityProved)
        return "unused"
    }

    /// Nil takes the limit away.
    static func limitFiles(to size: UInt?) {
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = size ?? limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
    }
}

/// The real transport with the moments before and after it.
struct SelftestTransport: TokenTransport {
    let trip: SelftestTrip

    func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
        trip.pass(.intentJournalled)
        let answer = try CurlTransport().post(request)
        trip.noteAnswer()
        trip.pass(.answered)
        return answer
    }
}
