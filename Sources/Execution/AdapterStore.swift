public import Backends
public import Requests
import Synchronization
public import Tensors

/// The matrices of loaded adapters in host memory, from which `ModelRunner` fills the slots of the device.
///
/// Threads that read adapters' files put them in; the engine's thread reads them.
public final class AdapterStore: Sendable {
    private let adapters = Mutex<[AdapterID: [MatrixSetID: HostTensor]]>([:])

    public init() {}

    /// Keeps the matrices of `adapter`, of the shapes of their sets. To be called before any request names the adapter.
    public func insert(_ matrices: [MatrixSetID: HostTensor], of adapter: AdapterID) {
        adapters.withLock { $0[adapter] = matrices }
    }

    /// Frees the matrices of `adapter`. To be called after its last request.
    public func remove(_ adapter: AdapterID) {
        adapters.withLock { _ = $0.removeValue(forKey: adapter) }
    }

    /// Adapters that are kept.
    public var count: Int { adapters.withLock { $0.count } }

    func matrices(of adapter: AdapterID) -> [MatrixSetID: HostTensor]? { adapters.withLock { $0[adapter] } }
}
