import Synchronization

/// A counter that threads share, alone in its cache lines.
final class SharedCounter: Sendable {
    // Two lines on either side: a neighbour's writes must not take the line away from those who poll.
    private let before = Padding()
    private let value = Atomic<Int>(0)
    private let after = Padding()

    private struct Padding {
        let words: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
        let more: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
    }

    /// What it says now, and everything written before it was set.
    @inline(__always)
    var current: Int { value.load(ordering: .sequentiallyConsistent) }

    /// Cheaper than `current`: orders only what follows.
    @inline(__always)
    var acquired: Int { value.load(ordering: .acquiring) }

    /// Adds one; returns what it was.
    @inline(__always)
    func take() -> Int { value.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue }

    /// Takes one off.
    func giveBack() { value.wrappingSubtract(1, ordering: .sequentiallyConsistent) }

    /// Starts over.
    func reset() { value.store(0, ordering: .releasing) }
}
