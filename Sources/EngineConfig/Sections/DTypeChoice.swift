/// The element type of weights or cache in memory.
public enum DTypeChoice: String, Sendable, CaseIterable {
    /// Whatever the file has, or the backend prefers.
    case auto
    case f32, bf16, f16
}
