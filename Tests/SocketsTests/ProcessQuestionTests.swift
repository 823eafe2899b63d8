import Glibc
import Testing

@testable import Sockets

@Suite struct ProcessQuestionTests {
    @Test(arguments: [
        ProcessQuestion.folder(SocketOwner(user: 1000, inode: 77)), .folder(SocketOwner(user: 0, process: 12)), .listener(5392),
    ])
    func whatIsReadIsWhatWasWritten(_ question: ProcessQuestion) { #expect(ProcessQuestion(question.text) == question) }

    @Test(arguments: [
        "", "folder", "folder 1 2", "folder 1 2 x", "folder 1 2 3 4", "listener", "listener 70000", "listener 1 2", "other 1",
    ])
    func whatIsNoQuestionIsNotAnswered(_ text: String) {
        var answers = ProcessAnswers()
        #expect(ProcessQuestion(text) == nil)
        #expect(answers.answer(Array(text.utf8)) == [])
    }

    @Test func aProcessIsFoundByItsSocketAndByItself() throws {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var status = stat()
        try #require(fstat(socket, &status) == 0)
        let inode = UInt32(truncatingIfNeeded: status.st_ino)
        var answers = ProcessAnswers()
        let expected = Array((SocketHolder.workingDirectory(of: getpid()) ?? "").utf8)
        for owner in [SocketOwner(user: geteuid(), inode: inode), SocketOwner(user: geteuid(), process: getpid())] {
            for _ in 0..<2 { #expect(answers.answer(Array(ProcessQuestion.folder(owner).text.utf8)) == expected) }
        }
        #expect(answers.answer(Array(ProcessQuestion.folder(SocketOwner(user: geteuid(), inode: .max)).text.utf8)) == [])
    }
}
