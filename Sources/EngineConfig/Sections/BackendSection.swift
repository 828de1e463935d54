/// What computes.
public struct BackendSection: Sendable, Equatable {
    /// An instruction set of the CPU backend's kernels.
    public enum ISA: String, Sendable, CaseIterable {
        /// The best that this CPU has.
        case auto
        case avx512bf16, avx512, avx2, portable
    }

    /// The name of the backend in the registry.
    public var name = "cpu"
    /// Threads of the CPU backends; 0 for all cores.
    public var threads = 0
    /// The instruction set to use.
    public var isa = ISA.auto

    init() {}
}

extension BackendSection: ConfigurationSection {
    static let name = "backend"
    static let summary = "what computes"
    static let keys: [ConfigurationKey<BackendSection>] = [
        ConfigurationKey(
            "name", \.name, .name(of: "a backend"), "cpu, or reference: slow, simple and exact, the oracle of the tests"
        ),
        ConfigurationKey("threads", \.threads, .integer(in: 0...1024), "Threads to compute with; 0 takes all cores"),
        ConfigurationKey("isa", \.isa, .choice, "The instruction set; auto takes the best that this CPU has"),
    ]
}
