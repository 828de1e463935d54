/// What a configuration file may cost; far above any honest one.
enum YAMLLimits {
    static let byteCount = 1 << 20
    static let depth = 16
    static let nodeCount = 10_000
}
