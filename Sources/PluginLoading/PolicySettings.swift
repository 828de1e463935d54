import CQuirePlugin

/// What a policy wants to see.
struct PolicySettings: Sendable {
    let lookahead: Int
    let wantsCachedCounts: Bool

    init(_ settings: quire_settings, policy: String) throws(PluginError) {
        let unknown = settings.flags & ~UInt32(QUIRE_WANTS_CACHED_TOKENS)
        guard unknown == 0 else { throw .nonsense(policy: policy, reason: "unknown flags \(unknown)") }
        lookahead = max(Int(settings.lookahead), 1)
        wantsCachedCounts = settings.flags & UInt32(QUIRE_WANTS_CACHED_TOKENS) != 0
    }
}
