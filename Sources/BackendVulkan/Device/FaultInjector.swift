import CVulkan
import Synchronization

/// Makes chosen calls fail, for tests. Empty outside tests.
final class FaultInjector: Sendable {
    /// A call that can fail.
    enum Site: Hashable {
        case allocate, submit
        /// The compilation of a kernel.
        case compile(String)
        /// The self-test of a kernel variant.
        case selfTest(String)
        /// The self-test of any variant that unpacks 16-bit scales as the driver does.
        case halves
    }

    private struct Fault {
        var callsBefore: Int
        let result: VkResult
    }

    private let faults = Mutex<[Site: Fault]>([:])

    /// From the call after the next `count` at `site` on, every one fails with `result`.
    func fail(_ site: Site, after count: Int = 0, with result: VkResult = VK_ERROR_UNKNOWN) {
        faults.withLock { $0[site] = Fault(callsBefore: count, result: result) }
    }

    /// No more faults.
    func clear() { faults.withLock { $0 = [:] } }

    /// The fault of this call at `site`; nil where there is none.
    func strike(_ site: Site) -> VkResult? {
        faults.withLock { faults in
            guard let fault = faults[site] else { return nil }
            guard fault.callsBefore == 0 else {
                faults[site]?.callsBefore -= 1
                return nil
            }
            return fault.result
        }
    }
}
