/// How a checkpoint wants positions turned into angles.
public struct RotaryConfiguration: Sendable, Hashable {
    /// How frequencies are stretched for contexts longer than those trained on first.
    public enum Scaling: Sendable, Hashable {
        case none
        /// Every frequency divided by `factor`.
        case linear(factor: Double)
        /// Llama 3.1's: low frequencies divided, high ones kept, those between interpolated.
        case llama3(
            factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalMaxPositionCount: Int)
        /// One that we cannot do yet, by its name in the checkpoint.
        case other(String)
    }

    /// Base of the frequencies.
    public var theta: Double
    /// Numbers of each head that turn.
    public var rotarySize: Int
    /// How frequencies are stretched.
    public var scaling: Scaling

    /// The facts as given.
    public init(theta: Double, rotarySize: Int, scaling: Scaling = .none) {
        self.theta = theta
        self.rotarySize = rotarySize
        self.scaling = scaling
    }
}
