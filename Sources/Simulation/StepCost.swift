public import Requests

/// The time that a step takes: a sum over its parts, with coefficients that were measured on a device (`StepCostFit`) or
/// given.
///
/// The cost of a token depends on how many a step has: few tokens wait for weights from memory, many for arithmetic, and
/// kernels differ. So a measured cost has a curve over a step's tokens, and a given one is a straight line.
public struct StepCost: Sendable, Hashable, Encodable {
    /// A point of the curve: a step that computes `tokenCount` tokens takes `seconds` for them.
    public struct Point: Sendable, Hashable, Codable {
        /// Tokens that the step computes.
        public let tokenCount: Int
        /// Their time, apart from attention.
        public let seconds: Double

        public init(tokenCount: Int, seconds: Double) {
            self.tokenCount = tokenCount
            self.seconds = seconds
        }

        private enum CodingKeys: String, CodingKey {
            case tokenCount = "tokens"
            case seconds
        }
    }

    /// Seconds of every step.
    public var fixedSeconds: Double
    /// Seconds of each token of a prompt.
    public var promptTokenSeconds: Double
    /// Seconds of each sequence that produces its next token.
    public var sequenceSeconds: Double
    /// Seconds of each token that attention reads.
    public var contextTokenSeconds: Double
    /// Seconds of each pair of a prompt's token and one that it attends to.
    public var promptPairSeconds = 0.0
    /// Seconds of each block that is swapped or copied, and of each token in it.
    public var moveBlockSeconds, moveTokenSeconds: Double
    /// Seconds of the tokens of a step by their number, added to the above: straight lines between points in ascending
    /// order; the last line goes on. Empty: nothing is added.
    public var curve: [Point] = []

    private enum CodingKeys: String, CodingKey {
        case curve
        case fixedSeconds = "fixed_seconds"
        case promptTokenSeconds = "prompt_token_seconds"
        case sequenceSeconds = "sequence_seconds"
        case contextTokenSeconds = "context_token_seconds"
        case promptPairSeconds = "prompt_pair_seconds"
        case moveBlockSeconds = "move_block_seconds"
        case moveTokenSeconds = "move_token_seconds"
    }

    public init(
        fixedSeconds: Double, promptTokenSeconds: Double, sequenceSeconds: Double, contextTokenSeconds: Double,
        moveBlockSeconds: Double = 0, moveTokenSeconds: Double = 0
    ) {
        self.fixedSeconds = fixedSeconds
        self.promptTokenSeconds = promptTokenSeconds
        self.sequenceSeconds = sequenceSeconds
        self.contextTokenSeconds = contextTokenSeconds
        self.moveBlockSeconds = moveBlockSeconds
        self.moveTokenSeconds = moveTokenSeconds
    }

    /// Seconds of moving a block of `blockSize` tokens, one way.
    public func moveSeconds(blockSize: Int) -> Double { moveBlockSeconds + Double(blockSize) * moveTokenSeconds }

    /// Seconds of one more token of a prompt in a step that has many.
    public var recomputedTokenSeconds: Double {
        guard curve.count > 1 else { return promptTokenSeconds }
        return promptTokenSeconds + Self.slope(curve[curve.count - 2], curve[curve.count - 1])
    }

    /// Seconds that `output`, over blocks of `blockSize` tokens, takes. Nothing overlaps.
    public func seconds(of output: SchedulerOutput, blockSize: Int) -> Double {
        seconds(of: StepFeatures(output), blockSize: blockSize)
    }

    /// Seconds that a step with these counts, over blocks of `blockSize` tokens, takes. Nothing overlaps.
    public func seconds(of step: StepFeatures, blockSize: Int) -> Double {
        let moves = Double(step.moveCount) * moveSeconds(blockSize: blockSize)
        return fixedSeconds + Double(step.promptTokenCount) * promptTokenSeconds
            + Double(step.sequenceCount) * sequenceSeconds + Double(step.contextTokenCount) * contextTokenSeconds
            + Double(step.promptPairCount) * promptPairSeconds + curveSeconds(of: step.rowCount) + moves
    }

    private func curveSeconds(of tokenCount: Int) -> Double {
        guard tokenCount > 0, let first = curve.first else { return 0 }
        guard tokenCount > first.tokenCount, curve.count > 1 else { return first.seconds }
        let next = curve.dropFirst().firstIndex { $0.tokenCount >= tokenCount } ?? curve.count - 1
        let start = curve[next - 1]
        return start.seconds + Double(tokenCount - start.tokenCount) * Self.slope(start, curve[next])
    }

    private static func slope(_ start: Point, _ end: Point) -> Double {
        (end.seconds - start.seconds) / Double(end.tokenCount - start.tokenCount)
    }
}

/// The counts of a step that its `StepCost` depends on.
public struct StepFeatures: Sendable, Hashable, Codable {
    /// Tokens of prompts, and tokens that a preemption dropped.
    public var promptTokenCount = 0
    /// Sequences of which only the newest token is computed.
    public var sequenceCount = 0
    /// Tokens whose keys and values are read: each request's context, once.
    public var contextTokenCount = 0
    /// Pairs of a prompt's token and a token that it attends to, itself included: grows with the square of a prompt.
    public var promptPairCount = 0
    /// Blocks that are swapped or copied.
    public var moveCount = 0

    /// An empty step.
    public init() {}

    /// The counts of `output`.
    public init(_ output: SchedulerOutput) {
        for scheduled in output.scheduled {
            let count = scheduled.tokens.count
            contextTokenCount += scheduled.firstPosition + count
            if count > 1 {
                promptTokenCount += count
                promptPairCount += count * scheduled.firstPosition + count * (count + 1) / 2
            } else {
                sequenceCount += 1
            }
        }
        moveCount = output.moves.count
    }

    /// Tokens to compute.
    public var rowCount: Int { promptTokenCount + sequenceCount }

    private enum CodingKeys: String, CodingKey {
        case promptTokenCount = "prompt_tokens"
        case sequenceCount = "sequences"
        case contextTokenCount = "context_tokens"
        case promptPairCount = "prompt_pairs"
        case moveCount = "moves"
    }
}
