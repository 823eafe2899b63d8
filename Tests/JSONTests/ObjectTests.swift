import JSON
import Testing

@Suite struct ObjectTests {
    @Test func settingReplacesInPlaceAppendsOrRemoves() {
        var object: Object = ["a": 1, "b": 2, "c": 3]
        object["b"] = "two"
        object["d"] = 4
        object["a"] = nil
        object["absent"] = nil
        #expect(object.names == ["b", "c", "d"])
        #expect(object["b"] == "two")
        #expect(object["a"] == nil)
        #expect(object.map(\.value) == ["two", 3, 4])
    }

    /// Around the size from which positions are indexed, each operation is compared with a plain array that does the same.
    @Test(arguments: [15, 16, 17, 40])
    func largeObjectsBehaveAsSmallOnes(count: Int) {
        var object = Object()
        var model: [(name: String, value: Value)] = []
        for number in 0..<count {
            object["n\(number)"] = .integer(Int64(number))
            model.append(("n\(number)", .integer(Int64(number))))
        }
        for number in stride(from: 0, to: count, by: 3) {
            object["n\(number)"] = nil
            model.removeAll { $0.name == "n\(number)" }
        }
        object["n1"] = "changed"
        model[0].value = "changed"
        object["new"] = true
        model.append(("new", true))
        #expect(object.elementsEqual(model) { $0 == $1 })
        #expect(model.allSatisfy { object[$0.name] == $0.value })
        #expect(object["n0"] == nil)
    }

    @Test func equalityHeedsOrder() {
        #expect(["a": 1, "b": 2] as Value == ["a": 1, "b": 2])
        #expect(["a": 1, "b": 2] as Value != ["b": 2, "a": 1])
    }

    @Test func aMemberIsChangedInPlaceOrAddedFirst() {
        var object: Object = ["usage": ["n": 1]]
        object["usage", default: [:]] = ["n": 2]
        object["order", default: []] = ["x"]
        #expect(object == ["usage": ["n": 2], "order": ["x"]])
    }
}
