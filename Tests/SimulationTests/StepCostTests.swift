import KVCaching
import Requests
import SharedValues
import Testing

@testable import Simulation

@Suite("Step cost")
struct StepCostTests {
    static func step(_ prompt: Int, _ sequences: Int, _ context: Int, _ pairs: Int, moves: Int = 0) -> StepFeatures {
        var step = StepFeatures()
        step.promptTokenCount = prompt
        step.sequenceCount = sequences
        step.contextTokenCount = context
        step.promptPairCount = pairs
        step.moveCount = moves
        return step
    }

    /// Steps of all kinds.
    static let steps: [StepFeatures] =
        [1, 2, 4, 8, 16, 32, 64].flatMap { count in
            [16, 256, 1024].map { step(0, count, count * $0, 0) }
        }
        + [8, 64, 100, 256, 512].flatMap { count in
            [0, 512].map { step(count, 0, count + $0, count * $0 + count * (count + 1) / 2) }
        }

    static let known: StepCost = {
        var cost = StepCost(
            fixedSeconds: 0, promptTokenSeconds: 0, sequenceSeconds: 2e-4, contextTokenSeconds: 1e-6,
            moveTokenSeconds: 3e-6)
        cost.promptPairSeconds = 5e-7
        // Flat, then steep, then less so: neither convex nor concave.
        cost.curve = zip(
            [1, 2, 4, 8, 16, 32, 64, 256, 512], [8e-3, 8e-3, 8.5e-3, 2e-2, 3e-2, 5e-2, 9e-2, 3e-1, 6e-1]
        ).map { StepCost.Point(tokenCount: $0, seconds: $1) }
        return cost
    }()

    @Test("features count prompts, sequences, contexts, pairs and moves")
    func features() {
        func scheduled(_ count: Int, _ first: Int) -> ScheduledRequest {
            ScheduledRequest(
                id: RequestID(1), tokens: [Int32](repeating: 0, count: count)[...], firstPosition: first, blocks: [],
                samplesNext: true, outputCount: 0, scoredPositions: 0..<0)
        }
        var output = SchedulerOutput()
        output.scheduled = [scheduled(1, 9), scheduled(3, 5), scheduled(1, 0)]
        output.moves = [BlockMove(.swapOut, from: 0, to: 0), BlockMove(.swapIn, from: 1, to: 1)]
        // Positions 5, 6 and 7 attend to 6, 7 and 8 tokens.
        #expect(StepFeatures(output) == Self.step(3, 2, 10 + 8 + 1, 6 + 7 + 8, moves: 2))
        #expect(StepFeatures(output).rowCount == 5)
    }

    @Test("the curve is straight between its points and goes on after the last")
    func curve() {
        var cost = StepCost(fixedSeconds: 1, promptTokenSeconds: 0, sequenceSeconds: 0, contextTokenSeconds: 0)
        cost.curve = [StepCost.Point(tokenCount: 2, seconds: 10), StepCost.Point(tokenCount: 4, seconds: 30)]
        func seconds(_ count: Int) -> Double { cost.seconds(of: Self.step(count, 0, 0, 0), blockSize: 16) }
        #expect([0, 1, 2, 3, 4, 6].map(seconds) == [1, 11, 11, 21, 31, 51])
        #expect(cost.recomputedTokenSeconds == 10)
    }

    @Test("a known cost is found again from its own steps")
    func recovery() {
        let moves = [4, 16, 64].map { Self.step(0, 0, 0, 0, moves: $0) }
        let samples = (Self.steps + moves).map {
            StepSample(features: $0, seconds: Self.known.seconds(of: $0, blockSize: 16))
        }
        let fit = StepCostFit(samples, blockSize: 16)
        #expect(fit.errors.max < 1e-3)
        func isClose(_ found: Double, _ known: Double) -> Bool { abs(found / known - 1) < 0.01 }
        #expect(isClose(fit.cost.contextTokenSeconds, Self.known.contextTokenSeconds))
        #expect(isClose(fit.cost.promptPairSeconds, Self.known.promptPairSeconds))
        #expect(isClose(fit.cost.sequenceSeconds, Self.known.sequenceSeconds))
        #expect(isClose(fit.cost.moveTokenSeconds, Self.known.moveTokenSeconds))
        #expect(fit.cost.curve.map(\.tokenCount) == Self.known.curve.map(\.tokenCount))
        #expect(zip(fit.cost.curve, Self.known.curve).allSatisfy { isClose($0.seconds, $1.seconds) })
    }

    @Test("noise makes no cost negative and no curve fall", arguments: UInt64(1)...20)
    func noise(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let samples = Self.steps.map {
            StepSample(
                features: $0,
                seconds: Self.known.seconds(of: $0, blockSize: 16) * Double.random(in: 0.7...1.3, using: &random))
        }
        let fit = StepCostFit(samples, blockSize: 16)
        let cost = fit.cost
        #expect(cost.sequenceSeconds >= 0 && cost.contextTokenSeconds >= 0 && cost.promptPairSeconds >= 0)
        #expect(zip(cost.curve, cost.curve.dropFirst()).allSatisfy { $0.seconds <= $1.seconds })
        // What noise allows: the known cost itself is off by 15% on average.
        #expect(fit.errors.median < 0.2 && fit.errors.median <= fit.errors.p90 && fit.errors.p90 <= fit.errors.max)
    }

    @Test("least squares: the constrained optimum, where the free one is negative")
    func nonNegative() {
        // x + 2y = 1 and 2x + y = 3 in relative form meet at y < 0; with y = 0, x minimises (x - 1)² + (2x/3 - 1)².
        let found = NonNegativeLeastSquares.solve([[1, 2], [2.0 / 3, 1.0 / 3]])
        #expect(found[1] == 0 && abs(found[0] - (1 + 2.0 / 3) / (1 + 4.0 / 9)) < 1e-9)
        #expect(NonNegativeLeastSquares.solve([[0, 2], [0, 2]]) == [0, 0.5])
    }

    @Test("a simulation takes what the curve says")
    func simulated() throws {
        var setup = SimulationTests.setup()
        setup.cost = Self.known
        let report = try SimulationTests.run([TraceRequest(arrivalSeconds: 0, promptCount: 8, outputCount: 2)], setup)
        let first = Self.known.seconds(of: Self.step(8, 0, 8, 36), blockSize: 4)
        let second = Self.known.seconds(of: Self.step(0, 1, 9, 0), blockSize: 4)
        #expect(abs(report.seconds - first - second) < 1e-6)
    }
}
