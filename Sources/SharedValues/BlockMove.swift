/// Names a block of a pool: `0 ..< blockCount`.
public typealias BlockID = Int32

/// A copy of one block's keys and values, of all layers: from the device to the swap space, back, or on the device.
///
/// The moves of a step come before anything that the step computes, in three rounds: all out, then all in, then all
/// copies. Within a round no two have the same target, and none reads what another one writes.
public struct BlockMove: Sendable, Hashable {
    /// The pools of source and target, in the order of the rounds.
    public enum Direction: Sendable, Hashable, CaseIterable {
        /// From a block of the device to one of the swap space.
        case swapOut
        /// From a block of the swap space to one of the device.
        case swapIn
        /// From one block of the device to another.
        case copy
    }

    public let direction: Direction
    /// The block that is read.
    public let source: BlockID
    /// The block that is written.
    public let target: BlockID

    public init(_ direction: Direction, from source: BlockID, to target: BlockID) {
        self.direction = direction
        self.source = source
        self.target = target
    }
}
