public import Requests

/// What a step costs: a sum of what its parts cost, as it was measured on a device (`StepCostFit`) or given.
///
/// Tokens cost more or less by how many there are: few of them wait for weights from memory, many for arithmetic, and
/// kernels differ. So a measured cost has a curve over a step's tokens, and a given one is a straight line.
public struct StepCost: Sendable, Hashable, Encodable {
    /// A point of the curve: a step that computes `tokenCount` tokens takes `seconds` for them.
    public struct Point: Sendable, Hashable, Codable {
        /// Tokens that the step computes.
        public let tokenCount: Int
        /// What they take, apart from attention.
        public let seconds: Double

        /// The two as given.
        public init(tokenCount: Int, seconds: Double) {
            self.tokenCount = tokenCount
            self.seconds = seconds
        }

        private enum CodingKeys: String, CodingKey {
            case tokenCount = "tokens"
            case seconds
        }
    }

    /// Seconds of every step, whatever is in it.
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
    /// Seconds of the tokens of a step by their number, beside the above: straight lines between points in ascending
    /// order, the last one going on. Empty: nothing.
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

    /// The coefficients as given.
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
