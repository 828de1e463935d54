/// The element type of weights in memory.
public enum DTypeChoice: String, Sendable, CaseIterable {
    /// Whatever the file has.
    case auto
    case f32, bf16, f16
}
