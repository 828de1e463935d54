import Scheduling
import Testing

@testable import Simulation

@Suite("Simulation, swapping")
struct SwapSimulationTests {
    private static func run(moveBlockSeconds: Double, moveTokenSeconds: Double, swapBlockCount: Int = 64) throws
        -> PolicyReport
    {
        // Two sequences of eight tokens that grow to sixteen, in three blocks of eight.
        var setup = SimulationTests.setup(blockCount: 3, blockSize: 8, length: 24)
        setup.isPrefixCachingEnabled = false
        setup.swapBlockCount = swapBlockCount
        setup.cost.moveBlockSeconds = moveBlockSeconds
        setup.cost.moveTokenSeconds = moveTokenSeconds
        return try SimulationTests.run(
            [
                TraceRequest(arrivalSeconds: 0, promptCount: 7, outputCount: 10),
                TraceRequest(arrivalSeconds: 0, promptCount: 7, outputCount: 10),
            ], setup)
    }

    @Test("moves take the given time, and save computing tokens again")
    func costs() throws {
        // The second gives way with seven prompt tokens and one more, a block full: 0.8 s to compute again.
        let swapped = try Self.run(moveBlockSeconds: 0.1, moveTokenSeconds: 0.01)
        #expect(swapped.preemptionCount == 1 && swapped.moves.preemptions == 1)
        #expect(swapped.tokens.swapped == 8 && swapped.tokens.recomputed == 0)
        #expect(swapped.moves.out == 1 && swapped.moves.in == 1)
        #expect(abs(swapped.moves.seconds - 2 * 0.18) < 1e-9)
        let recomputed = try Self.run(moveBlockSeconds: 0.4, moveTokenSeconds: 0.01)
        #expect(recomputed.tokens.swapped == 0 && recomputed.tokens.recomputed == 8)
        #expect(recomputed.moves.out == 0 && recomputed.moves.seconds == 0)
        let none = try Self.run(moveBlockSeconds: 0, moveTokenSeconds: 0, swapBlockCount: 0)
        #expect(none.tokens.recomputed == 8 && none.seconds == recomputed.seconds)
        // Nine tokens are a prompt again, beside the context they read; or the block moves twice and the ninth is alone.
        #expect(abs(recomputed.seconds - swapped.seconds - (9 * 0.1 - 0.01 - 2 * 0.18)) < 1e-6)
    }

    @Test("prefixes that come back from the swap space are counted")
    func secondTier() throws {
        var setup = SimulationTests.setup(blockCount: 4, blockSize: 4, length: 16)
        setup.swapBlockCount = 16
        let requests = (0..<4).map { index in
            var request = TraceRequest(arrivalSeconds: Double(index) * 100, promptCount: 12, outputCount: 2)
            request.prefixID = "\(index % 2)"
            request.prefixCount = 10
            return request
        }
        let report = try SimulationTests.run(requests, setup)
        #expect(report.tokens.prefixHit == 16 && report.tokens.swappedPrefixHit > 0)
        #expect(report.moves.in * 4 == report.tokens.swappedPrefixHit)
    }
}
