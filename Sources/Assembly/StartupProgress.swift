import Backends
import Synchronization

/// The progress of a model's start: weights are read, and weights are placed on the device. Either may take longest.
final class StartupProgress: Sendable {
    private let state = Mutex((read: 0.0, placed: 0.0))
    private let onProgress: @Sendable (Double) -> Void

    /// `onProgress` is called with a fraction that grows from 0 to 1.
    init(_ onProgress: @escaping @Sendable (Double) -> Void) { self.onProgress = onProgress }

    /// A fraction of the checkpoint was read.
    func read(_ fraction: Double) { advance { $0.read = max($0.read, min(fraction, 1)) } }

    /// A fraction of the weights is on the device.
    func placed(_ fraction: Double) { advance { $0.placed = max($0.placed, min(fraction, 1)) } }

    /// The model is ready.
    func finish() { onProgress(1) }

    private func advance(_ change: (inout (read: Double, placed: Double)) -> Void) {
        let fraction = state.withLock { state in
            change(&state)
            return (state.read + state.placed) / 2
        }
        // 1 clears the progress bar, so only `finish` sends it.
        onProgress(min(fraction, 0.99))
    }
}
