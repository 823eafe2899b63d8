internal import CLinux

/// Which processors do what: one has the proxy under test to itself, another has the load and the stub.
struct Processors {
    /// Their numbers; nil where there is only one, and the scheduler decides.
    let proxy, bench: Int?

    private init(proxy: Int?, bench: Int?) {
        self.proxy = proxy
        self.bench = bench
    }

    /// The scheduler decides.
    static let unpinned = Processors(proxy: nil, bench: nil)

    /// The first two that this process may run on.
    init() {
        var words = [UInt64](repeating: 0, count: 16)
        guard unsafe kb_affinity(&words) == 0, case let allowed = Self.numbers(in: words), allowed.count >= 2 else {
            (proxy, bench) = (nil, nil)
            return
        }
        (proxy, bench) = (allowed[0], allowed[1])
    }

    /// The numbers of the bits that are set.
    static func numbers(in words: [UInt64]) -> [Int] {
        (0..<words.count * 64).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    /// From now on this thread, and what it starts, runs where the load and the stub do.
    func moveToBench() { move(to: bench) }
    /// What is started meanwhile runs where the proxies do.
    func forProxy<Outcome>(_ body: () throws -> Outcome) rethrows -> Outcome {
        move(to: proxy)
        defer { move(to: bench) }
        return try body()
    }

    private func move(to number: Int?) {
        guard let number else { return }
        var words = [UInt64](repeating: 0, count: 16)
        words[number / 64] = 1 << UInt64(number % 64)
        _ = unsafe kb_set_affinity(words)
    }
}
