public import Requests

/// What a step costs: a line through what was measured on a device, or given.
public struct StepCost: Sendable, Hashable {
    /// Seconds of every step, whatever is in it.
    public var fixedSeconds: Double
    /// Seconds of each token of a prompt.
    public var promptTokenSeconds: Double
    /// Seconds of each sequence that produces its next token.
    public var sequenceSeconds: Double
    /// Seconds of each token that attention reads.
    public var contextTokenSeconds: Double
    /// Seconds of each block that is swapped or copied, and of each token in it.
    public var moveBlockSeconds, moveTokenSeconds: Double

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

    /// Seconds that `output`, over blocks of `blockSize` tokens, takes. Nothing overlaps.
    public func seconds(of output: SchedulerOutput, blockSize: Int) -> Double {
        var (prompt, sequences, context) = (0, 0, 0)
        for scheduled in output.scheduled {
            if scheduled.tokens.count > 1 { prompt += scheduled.tokens.count } else { sequences += 1 }
            context += scheduled.firstPosition + scheduled.tokens.count
        }
        return fixedSeconds + Double(prompt) * promptTokenSeconds + Double(sequences) * sequenceSeconds
            + Double(context) * contextTokenSeconds + Double(output.moves.count) * moveSeconds(blockSize: blockSize)
    }
}
