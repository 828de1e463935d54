/// A step that was measured.
public struct StepSample: Sendable, Hashable, Codable {
    /// What was in it.
    public let features: StepFeatures
    /// What it took.
    public let seconds: Double

    /// The two as given.
    public init(features: StepFeatures, seconds: Double) {
        self.features = features
        self.seconds = seconds
    }
}
