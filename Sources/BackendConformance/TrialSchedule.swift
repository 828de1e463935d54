import Backends
import SharedValues
import Tensors

/// One way to compute sequences: which tokens each step computes, and which blocks the sequences get.
struct TrialSchedule {
    /// The next tokens of one sequence.
    struct Part {
        let sequence: Int
        let tokenCount: Int
    }

    let name: String
    let steps: [[Part]]
    let blockSize: Int
    /// Decides which blocks sequences get.
    let seed: UInt64
    /// Whether sequences move to the swap space and back, or to other blocks, between steps.
    var isMoving = false

    /// Everything in one step.
    static func together(_ lengths: [Int], blockSize: Int, seed: UInt64) -> TrialSchedule {
        let parts = lengths.indices.map { Part(sequence: $0, tokenCount: lengths[$0]) }
        return TrialSchedule(name: "all in one step", steps: [parts], blockSize: blockSize, seed: seed)
    }

    /// One sequence after the other, each in one step.
    static func alone(_ lengths: [Int], blockSize: Int, seed: UInt64) -> TrialSchedule {
        let steps = lengths.indices.map { [Part(sequence: $0, tokenCount: lengths[$0])] }
        return TrialSchedule(name: "each sequence alone", steps: steps, blockSize: blockSize, seed: seed)
    }

    /// Random chunks. Between steps, blocks are swapped out, swapped in and copied.
    static func moved(_ lengths: [Int], blockSize: Int, seed: UInt64) -> TrialSchedule {
        let mixture = chunks(lengths, blockSize: blockSize, seed: seed)
        return TrialSchedule(
            name: "random chunks, moved", steps: mixture.steps, blockSize: blockSize, seed: seed, isMoving: true)
    }

    /// Random chunks: in each step some sequences, in random order, each with some of its tokens.
    static func chunks(_ lengths: [Int], blockSize: Int, seed: UInt64) -> TrialSchedule {
        var random = SplitMix64(seed: seed)
        var left = lengths
        var steps: [[Part]] = []
        while left.contains(where: { $0 > 0 }) {
            var parts: [Part] = []
            for sequence in left.indices.shuffled(using: &random)
            where left[sequence] > 0 && Bool.random(using: &random) {
                // Often one token, as in decoding.
                let count = Bool.random(using: &random) ? 1 : Int.random(in: 1...left[sequence], using: &random)
                parts.append(Part(sequence: sequence, tokenCount: count))
                left[sequence] -= count
            }
            if !parts.isEmpty { steps.append(parts) }
        }
        return TrialSchedule(name: "random chunks", steps: steps, blockSize: blockSize, seed: seed)
    }
}
