/// Where a session's profiles stand in a lineup.
struct SessionPlaces {
    /// The position of its first profile, else of its last; -1: none of them can serve.
    let preferred: Int
    let alternate: Int
    /// Its first profile is gone: the one that serves it now takes its place.
    let findsHome: Bool

    init(_ known: Affinity, _ lineup: Lineup) {
        let home = lineup.position(of: Int(known.home))
        let last = lineup.position(of: Int(known.last)) ?? -1
        preferred = home ?? last
        alternate = last
        findsHome = home == nil && lineup.numbered(Int(known.home)) == nil
    }
}
