import Adapters
import Backends
import Execution
import FoundationEssentials
import InferenceEngine
public import Requests
import Synchronization

/// The LoRA adapters of a served model, by the names that clients ask for. They come and go while it serves.
public final class LoadedAdapters: Sendable {
    /// A loaded adapter.
    public struct Entry: Sendable, Hashable {
        public let name: String
        public let id: AdapterID
        /// When it was loaded, in seconds since 1970.
        public let created: Int
    }

    /// Why an adapter was not loaded or unloaded.
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// The name is taken by the model or by another adapter.
        case nameTaken
        case unknownName
        /// There is no adapter at the path; the sentence says what is missing.
        case notFound(String)
        /// The adapter does not fit the model, or its files are bad; the sentence says where.
        case unusable(String)

        public var description: String {
            switch self {
            case .nameTaken: "the model or another adapter has this name"
            case .unknownName: "no adapter has this name"
            case .notFound(let reason), .unusable(let reason): reason
            }
        }
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Names whose files are being read.
        var loading: Set<String> = []
        var lastID: UInt64 = 0
    }

    private let modelName: String
    private let modules: [AdapterModule]
    private let limits: AdapterLimits
    private let store: AdapterStore
    private let engine: AsyncLLMEngine
    private let state = Mutex(State())

    /// No adapters, of a model that is called `modelName` and has `modules`. `store` is that of the engine's executor.
    init(
        modelName: String, modules: [AdapterModule], limits: AdapterLimits, store: AdapterStore, engine: AsyncLLMEngine
    ) {
        self.modelName = modelName
        self.modules = modules
        self.limits = limits
        self.store = store
        self.engine = engine
    }

    /// All adapters, in the order of their names.
    public var list: [Entry] { state.withLock { $0.entries.values.sorted { $0.name < $1.name } } }

    public subscript(name: String) -> AdapterID? { state.withLock { $0.entries[name]?.id } }

    /// Reads the adapter at `path` and serves it as `name`. Running requests go on meanwhile. Nothing is kept of an adapter
    /// that cannot be loaded.
    public func load(_ name: String, path: String) throws(Failure) {
        let isFree = state.withLock { state in
            guard name != modelName, state.entries[name] == nil else { return false }
            return state.loading.insert(name).inserted
        }
        guard isFree else { throw .nameTaken }
        defer { state.withLock { _ = $0.loading.remove(name) } }
        let weights: AdapterWeights
        do throws(AdapterError) {
            weights = try AdapterWeights(try AdapterFile(path: path), for: modules, limits: limits)
        } catch {
            if case .notAnAdapter = error { throw .notFound(error.description) }
            throw .unusable(error.description)
        }
        state.withLock { state in
            state.lastID += 1
            let id = AdapterID(state.lastID)
            // The engine knows the adapter before any request can find its name.
            store.insert(weights.matrices, of: id)
            engine.add(id, name: name)
            state.entries[name] = Entry(name: name, id: id, created: Int(Date().timeIntervalSince1970))
        }
    }

    /// Serves `name` no longer. Requests that have it are finished; then its memory is free.
    public func unload(_ name: String) throws(Failure) {
        guard let entry = state.withLock({ $0.entries.removeValue(forKey: name) }) else { throw .unknownName }
        engine.release(entry.id) { [store] in store.remove(entry.id) }
    }
}
