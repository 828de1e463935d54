/// A copy of one block's content, for whoever maps blocks to bytes.
///
/// The moves of a step come before anything that the step computes, in three rounds: all out, then all in, then all
/// copies. Within a round no two have the same target, and none reads what another one writes.
public struct BlockMove: Sendable, Hashable {
    /// From which pool to which.
    public enum Direction: Sendable, Hashable, CaseIterable {
        /// From a block of the device to one of the swap space.
        case out
        /// From a block of the swap space to one of the device.
        case `in`
        /// From one block of the device to another.
        case copy
    }

    /// From which pool to which.
    public let direction: Direction
    /// The block that is read.
    public let source: BlockID
    /// The block that is written.
    public let target: BlockID

    /// The three as given.
    public init(_ direction: Direction, from source: BlockID, to target: BlockID) {
        self.direction = direction
        self.source = source
        self.target = target
    }
}
