import Backends
import Synchronization

/// How far a model's start has come: weights are read, and weights are placed on the device. Either may be most of it.
final class StartupProgress: Sendable {
    private let state = Mutex((read: 0.0, placed: 0.0))
    private let report: @Sendable (Double) -> Void

    /// `report` hears of a share that grows from 0 to 1.
    init(_ report: @escaping @Sendable (Double) -> Void) { self.report = report }

    /// The share of the checkpoint that was read.
    func read(_ share: Double) { advance { $0.read = max($0.read, min(share, 1)) } }

    /// The share of the weights that are on the device.
    func placed(_ share: Double) { advance { $0.placed = max($0.placed, min(share, 1)) } }

    /// All is done.
    func finish() { report(1) }

    private func advance(_ change: (inout (read: Double, placed: Double)) -> Void) {
        let share = state.withLock { state in
            change(&state)
            return (state.read + state.placed) / 2
        }
        // One is for the end, which clears the bar.
        report(min(share, 0.99))
    }
}
