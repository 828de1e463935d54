/// A copy of one block's keys and values, of all layers.
public struct BlockCopy: Sendable, Hashable {
    /// From where to where, in the order of the rounds in which copies are made.
    public enum Direction: Sendable, Hashable, CaseIterable {
        /// From the cache to its swap space.
        case out
        /// From the swap space to the cache.
        case `in`
        /// From one block of the cache to another.
        case within
    }

    /// From where to where.
    public let direction: Direction
    /// The block that is read.
    public let source: Int32
    /// The block that is written.
    public let target: Int32

    /// The three as given.
    public init(_ direction: Direction, from source: Int32, to target: Int32) {
        self.direction = direction
        self.source = source
        self.target = target
    }
}
