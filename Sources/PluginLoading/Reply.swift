import Dispatch
import Synchronization

/// One answer, handed from the thread that finds it to the one that waits for it, or no longer does.
final class Reply<Answer: Sendable>: Sendable {
    private let result = Mutex<Result<Answer, PluginError>?>(nil)
    private let isReady = DispatchSemaphore(value: 0)

    func give(_ answer: Result<Answer, PluginError>) {
        result.withLock { $0 = answer }
        isReady.signal()
    }

    /// The answer; nil where there is none within the time given.
    func wait(milliseconds: Int) -> Result<Answer, PluginError>? {
        _ = isReady.wait(timeout: .now() + .milliseconds(milliseconds))
        return result.withLock { $0 }
    }
}
