/// What a step costs in `quire simulate`. The defaults are round numbers for a model of some seven billion parameters
/// on a data-centre GPU, and no measurement.
public struct SimulationSection: Sendable, Equatable {
    /// Milliseconds of every step.
    public var stepMs = 10.0
    /// Microseconds of each prompt token.
    public var promptTokenUs = 50.0
    /// Microseconds of each sequence that produces its next token.
    public var sequenceUs = 20.0
    /// Microseconds of each token of context that attention reads.
    public var contextTokenUs = 0.05
    /// Microseconds of each block that is swapped, one way.
    public var moveBlockUs = 200.0
    /// Microseconds of each token in it, one way.
    public var moveTokenUs = 20.0

    init() {}
}

extension SimulationSection: ConfigurationSection {
    static let name = "simulation"
    static let summary = "what a step costs in quire simulate"
    static let keys: [ConfigurationKey<SimulationSection>] = [
        ConfigurationKey(
            "step_ms", \.stepMs, .number(in: 0...1e6), "Milliseconds of every step, whatever is in it"),
        ConfigurationKey(
            "prompt_token_us", \.promptTokenUs, .number(in: 0...1e9), "Microseconds for each prompt token"),
        ConfigurationKey(
            "sequence_us", \.sequenceUs, .number(in: 0...1e9),
            "Microseconds for each sequence that produces its next token"),
        ConfigurationKey(
            "context_token_us", \.contextTokenUs, .number(in: 0...1e9),
            "Microseconds for each token of context that attention reads"),
        ConfigurationKey(
            "move_block_us", \.moveBlockUs, .number(in: 0...1e9),
            "Microseconds for each block that moves to the swap space or back, whatever its size"),
        ConfigurationKey(
            "move_token_us", \.moveTokenUs, .number(in: 0...1e9),
            "Microseconds for each token that a block has room for, when it moves"),
    ]
}
