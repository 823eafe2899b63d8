import HTTP
import JSON

/// A part of the product that reads what a stranger has sent, and the rules that hold for every input.
enum FuzzTarget: String {
    /// `RequestHead`, `ResponseHead`, `ChunkDecoder`.
    case request, response, chunks
    /// `MemberScanner`, beside `Reader`.
    case scanner
    /// `Reader`, `Writer` and `JSON5Reader`.
    case json
    /// A connection with a client, and one with a provider: `HTTP2Session`.
    case http2client, http2provider

    func run(_ input: [UInt8]) {
        switch self {
        case .request: RequestRules.check(input)
        case .response: ResponseRules.check(input)
        case .chunks: ChunkRules.check(input)
        case .scanner: ScannerRules.check(input)
        case .json: JSONRules.check(input)
        case .http2client: HTTP2Rules.check(input, isServer: true)
        case .http2provider: HTTP2Rules.check(input, isServer: false)
        }
    }
}

/// What libFuzzer runs; the environment says which.
private let chosen: FuzzTarget = {
    guard let name = environment("FUZZ_TARGET"), let target = FuzzTarget(rawValue: name) else {
        fatalError("FUZZ_TARGET is to be one of: request response chunks scanner json http2client http2provider")
    }
    return target
}()

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

/// A rule that must hold; a crash is what libFuzzer takes notice of and keeps the input of.
@inline(__always)
func demand(_ holds: Bool, _ rule: @autoclosure () -> String) {
    if !holds { fatalError("broken rule: \(rule())") }
}

/// Where an input is cut in three, by what it says itself.
func cuts(_ input: [UInt8]) -> [Range<Int>] {
    guard let last = input.last, let middle = input.dropLast().last else { return [0..<input.count] }
    let first = min(Int(last) * 3, input.count)
    let second = min(first + Int(middle), input.count)
    return [0..<first, first..<second, second..<input.count]
}
