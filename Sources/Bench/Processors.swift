internal import Sockets

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
        let allowed = CPU.allowed
        (proxy, bench) = allowed.count >= 2 ? (allowed[0], allowed[1]) : (nil, nil)
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
        if let number { CPU.keep(to: [number]) }
    }
}
