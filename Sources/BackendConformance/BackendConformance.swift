public import Backends
import BackendReference

/// The suite that every backend must pass: each operation agrees with the reference, and no sequence changes another.
///
/// ```swift
/// @Test(arguments: BackendConformance.cases())
/// func agrees(trial: ConformanceCase) throws {
///     let result = try BackendConformance(MyBackend()).run(trial)
///     #expect(result.hasPassed, "\(result)")
/// }
/// ```
public struct BackendConformance: Sendable {
    /// What the suite requires of a sequence's logits when it is batched, chunked and paged in other ways.
    public enum BatchInvariance: Sendable {
        /// They are the same bits.
        case bitwise
        /// They are within the case's tolerance.
        case withinTolerance
    }

    private let backend: any Backend
    private let batchInvariance: BatchInvariance

    public init(_ backend: any Backend, batchInvariance: BatchInvariance = .bitwise) {
        self.backend = backend
        self.batchInvariance = batchInvariance
    }

    /// Runs one case on the backend and on the reference. Throws what the backend throws.
    public func run(_ trial: ConformanceCase) throws(BackendError) -> ConformanceResult {
        try run(trial, expecting: Self.expected(trial))
    }

    /// Runs one case on several backends, and once on the reference; a result for each backend. Throws what a backend throws.
    public static func run(
        _ trial: ConformanceCase, on suites: [BackendConformance]
    ) throws(BackendError) -> [ConformanceResult] {
        let expected = try expected(trial)
        var results: [ConformanceResult] = []
        for suite in suites { results.append(try suite.run(trial, expecting: expected)) }
        return results
    }

    private static func expected(_ trial: ConformanceCase) throws(BackendError) -> Trial.Logits {
        try Trial(trial, on: ReferenceBackend()).run(together(trial)).logits
    }

    private static func together(_ trial: ConformanceCase) -> TrialSchedule {
        .together(trial.sequences.map(\.tokens.count), blockSize: trial.blockSize, seed: 1)
    }

    private func run(
        _ trial: ConformanceCase, expecting expected: Trial.Logits
    ) throws(BackendError) -> ConformanceResult {
        let lengths = trial.sequences.map(\.tokens.count)
        let schedule = Self.together(trial)
        let tested = try Trial(trial, on: backend)
        let (computed, strayWrites) = try tested.run(schedule)

        var failures = strayWrites
        let error = Self.normalisedError(of: computed, from: expected)
        if !(error <= trial.tolerance) {
            failures.append("normalised mean squared error \(error), tolerance \(trial.tolerance)")
        }
        for other in otherSchedules(of: trial, lengths) {
            let (again, strayWrites) = try tested.run(other)
            failures += strayWrites
            switch batchInvariance {
            case .bitwise:
                if let difference = Self.firstDifference(computed, again) {
                    failures.append("\(other.name), block size \(other.blockSize): other bits at \(difference)")
                }
            case .withinTolerance:
                let error = Self.normalisedError(of: again, from: expected)
                if !(error <= trial.tolerance) {
                    failures.append("\(other.name), block size \(other.blockSize): error \(error)")
                }
            }
        }
        return ConformanceResult(name: trial.name, error: error, tolerance: trial.tolerance, failures: failures)
    }

    private func otherSchedules(of trial: ConformanceCase, _ lengths: [Int]) -> [TrialSchedule] {
        let size = trial.blockSize
        // Without a cache there are no blocks whose size could matter.
        guard !trial.plan.cacheLayers.isEmpty else {
            return [.alone(lengths, blockSize: size, seed: 2), .chunks(lengths, blockSize: size, seed: 3)]
        }
        return [
            .alone(lengths, blockSize: size, seed: 2),
            .chunks(lengths, blockSize: size == 1 ? 16 : 1, seed: 3),
            .chunks(lengths, blockSize: size == 256 ? 4 : 256, seed: 4),
            .moved(lengths, blockSize: size, seed: 5),
        ]
    }

    /// Mean squared difference over the mean square of `expected`; NaN where anything is NaN.
    private static func normalisedError(of computed: Trial.Logits, from expected: Trial.Logits) -> Double {
        var difference = 0.0
        var square = 0.0
        for (left, right) in zip(computed.joined().joined(), expected.joined().joined()) {
            let delta = Double(left) - Double(right)
            difference += delta * delta
            square += Double(right) * Double(right)
        }
        return difference == 0 ? 0 : difference / square
    }

    private static func firstDifference(_ left: Trial.Logits, _ right: Trial.Logits) -> String? {
        for (sequence, positions) in left.enumerated() {
            for (position, row) in positions.enumerated() {
                for (index, number) in row.enumerated()
                where number.bitPattern != right[sequence][position][index].bitPattern {
                    return "sequence \(sequence), position \(position), number \(index): "
                        + "\(number), then \(right[sequence][position][index])"
                }
            }
        }
        return nil
    }
}
