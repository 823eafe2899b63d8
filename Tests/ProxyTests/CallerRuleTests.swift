@testable import Configuration
@testable import Proxy
import Sockets
import Testing

@Suite struct CallerRuleTests {
    private static func settings(_ uids: [Int] = [], _ loopback: ClientSettings.Loopback = .sameUser) -> ClientSettings {
        var settings = ClientSettings()
        settings.uids = uids
        settings.loopback = loopback
        return settings
    }

    @Test(
        "Our own user, root and the listed ones are served; whom the kernel does not name is nobody",
        arguments: [
            (UInt32?(1000), [], ClientSettings.Loopback.sameUser, true, true), (0, [], .sameUser, true, true),
            (1001, [], .sameUser, false, false), (1001, [1001], .sameUser, true, false), (nil, [1001], .sameUser, false, false),
            (1001, [], .any, true, false), (nil, [], .any, true, false), (65534, [], .sameUser, false, false),
        ])
    func loopback(user: UInt32?, uids: [Int], rule: ClientSettings.Loopback, isAdmitted: Bool, isOwn: Bool) {
        let callers = CallerRule(Self.settings(uids, rule), ownUser: 1000)
        let caller = Caller(door: .loopback, owner: user.map { SocketOwner(user: $0, inode: 1) })
        #expect(callers.admits(caller) == isAdmitted)
        #expect(callers.isOwn(caller) == isOwn)
    }

    @Test func aUnixSocketTellsSoAnyDoesNotMeanIt() {
        let callers = CallerRule(Self.settings([], .any), ownUser: 1000)
        #expect(!callers.admits(Caller(door: .unixSocket, owner: SocketOwner(user: 1001, process: 7))))
        #expect(!callers.admits(Caller(door: .unixSocket, owner: nil)))
        #expect(callers.admits(Caller(door: .unixSocket, owner: SocketOwner(user: 1000, process: 7))))
    }
}

@Suite struct OwnRequestTests {
    @Test(
        "What follows /- is read as segments and members",
        arguments: [
            ("/status", ["status"], nil), ("/sessions/a%2Fb/pin?x=a%26b&x=c", ["sessions", "a/b", "pin"], String?("c")), ("/", [], nil),
            ("", [], nil), ("/quota?x", ["quota"], ""),
        ])
    func reads(target: String, path: [String], member: String?) throws {
        let request = try #require(OwnRequest(target, isRead: true))
        #expect(request.path == path)
        #expect(request["x"] == member)
    }

    @Test(arguments: ["/%zz", "/a?x=%ff", "/%C3"])
    func whatIsNoUTF8IsRefused(target: String) { #expect(OwnRequest(target, isRead: true) == nil) }
}
