/// A few names, found by their bytes. They lie in one array, so that a look-up touches neither strings nor reference counts.
struct NameTable: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    init(_ names: [String]) {
        for name in names {
            bytes.append(contentsOf: name.utf8)
            ends.append(bytes.count)
        }
    }

    /// How many names there are.
    var count: Int { ends.count }

    /// The length of a name in octets.
    func length(_ index: Int) -> Int {
        ends[index] - start(index)
    }

    /// The number of the name that `range` of `text` spells exactly.
    func index(of range: Range<Int>, in text: Span<UInt8>) -> Int? {
        for index in 0..<ends.count where length(index) == range.count {
            if matches(index, in: text, at: range.lowerBound) { return index }
        }
        return nil
    }

    /// As `index(of:in:)`, for names that are lower case, whatever the case of `text`'s ASCII letters.
    func indexIgnoringCase(of range: Range<Int>, in text: Span<UInt8>) -> Int? {
        for index in 0..<ends.count where length(index) == range.count {
            let start = start(index)
            var offset = 0
            while offset < range.count, text[range.lowerBound + offset].lowercased == bytes[start + offset] { offset += 1 }
            if offset == range.count { return index }
        }
        return nil
    }

    /// Whether a name stands at `position`. `text` must be long enough.
    func matches(_ index: Int, in text: Span<UInt8>, at position: Int) -> Bool {
        let start = start(index)
        var offset = 0
        let length = length(index)
        while offset < length, text[position + offset] == bytes[start + offset] { offset += 1 }
        return offset == length
    }

    private func start(_ index: Int) -> Int {
        index == 0 ? 0 : ends[index - 1]
    }
}

extension UInt8 {
    static var slash: UInt8 { 0x2f }
    static var question: UInt8 { 0x3f }
    static var percent: UInt8 { 0x25 }
    static var at: UInt8 { 0x40 }
    static var colon: UInt8 { 0x3a }
    static var dot: UInt8 { 0x2e }
    static var backslash: UInt8 { 0x5c }

    /// The lower-case form of an ASCII letter; other bytes stay.
    var lowercased: UInt8 { (0x41...0x5a).contains(self) ? self | 0x20 : self }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}
