import Routing
import Testing

@Suite struct WorkspacesTests {
    static let rows: [(folder: String, agent: String?)] = [
        ("/home/u/work", "work"),
        ("/home/u/work/project/src", "work"),
        ("/home/u/work/private", "home"),
        ("/home/u/work/private/x", "home"),
        ("/home/u/workshop", nil),
        ("/home/u/work-2", nil),
        ("/home/u", nil),
        ("/", nil),
        ("", nil),
        ("/home/u/work (deleted)", nil),
        ("/srv/both", "first"),
    ]

    @Test(arguments: rows)
    func theInnermostWorkspaceCounts(folder: String, agent: String?) {
        let workspaces = Workspaces([
            ("work", "/home/u/work"), ("home", "/home/u/work/private/"), ("first", "/srv/both"), ("second", "/srv/both"),
        ])
        #expect(workspaces.agent(workingIn: folder) == agent)
        #expect(!workspaces.isEmpty)
    }

    @Test func theRootIsAWorkspaceOfEverything() {
        #expect(Workspaces([("all", "/")]).agent(workingIn: "/srv") == "all")
        #expect(Workspaces([]).isEmpty)
    }
}
