/// What a step costs in `quire simulate`. The defaults are round numbers for a model of about seven billion parameters
/// on a data-centre GPU; they are not measured.
public struct SimulationSection: Sendable, Equatable {
    /// Milliseconds that every step takes.
    public var stepMs = 10.0
    /// Microseconds of each prompt token.
    public var promptTokenUs = 50.0
    /// Microseconds of each sequence that decodes one token.
    public var sequenceUs = 20.0
    /// Microseconds of each token of context that attention reads.
    public var contextTokenUs = 0.05
    /// Microseconds of each block that is swapped, one way.
    public var swapBlockUs = 200.0
    /// Microseconds of each token in it, one way.
    public var swapTokenUs = 20.0

    init() {}
}

extension SimulationSection: ConfigurationSection {
    static let name = "simulation"
    static let summary = "what a step costs in quire simulate"
    static let keys: [ConfigurationKey<SimulationSection>] = [
        ConfigurationKey(
            "step_ms", \.stepMs, .number(in: 0...1e6), "Milliseconds that every step takes"),
        ConfigurationKey(
            "prompt_token_us", \.promptTokenUs, .number(in: 0...1e9), "Microseconds for each prompt token"),
        ConfigurationKey(
            "sequence_us", \.sequenceUs, .number(in: 0...1e9),
            "Microseconds for each sequence that decodes one token"),
        ConfigurationKey(
            "context_token_us", \.contextTokenUs, .number(in: 0...1e9),
            "Microseconds for each token of context that attention reads"),
        ConfigurationKey(
            "swap_block_us", \.swapBlockUs, .number(in: 0...1e9),
            "Microseconds for each block that is copied to the swap space or back, whatever its size"
        ).formerly("move_block_us"),
        ConfigurationKey(
            "swap_token_us", \.swapTokenUs, .number(in: 0...1e9),
            "Microseconds for each token of cache.block_size, when a block is copied"
        ).formerly("move_token_us"),
    ]
}
