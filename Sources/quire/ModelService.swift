import Assembly
import ChatTemplates
import Dispatch
import EngineConfig
import InferenceEngine
import OpenAIServer
import Requests
import Tokenization

/// A served model as the server sees it.
struct ModelService: CompletionService {
    let modelName: String
    let created = UnixTime.now
    private let model: ServedModel
    private let allowsRuntimeLoading: Bool

    init(_ configuration: EngineConfiguration, model: ServedModel) {
        modelName = configuration.model.name
        allowsRuntimeLoading = configuration.lora.allowRuntimeLoading
        self.model = model
    }

    var maxModelLength: Int { model.engine.limits.maxModelLength }
    var tokenizer: any Tokenizer { model.tokenizer }
    var chatTemplates: ChatTemplateSet? { model.chatTemplates }
    var specialTokens: [String: String] { model.specialTokens }
    var endTokenIDs: [Int32] { model.endTokenIDs }

    var adapters: [ServedAdapter] {
        model.adapters?.list.map { ServedAdapter(name: $0.name, created: $0.created) } ?? []
    }

    func adapter(named name: String) -> AdapterID? { model.adapters?[name] }

    var adapterLoading: (any AdapterLoading)? {
        allowsRuntimeLoading ? model.adapters.map { RuntimeLoading(adapters: $0) } : nil
    }

    func submit(
        _ request: GenerationRequest
    ) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error> {
        try model.engine.submit(request)
    }
}

/// Loads adapters for clients. Their files are read on a queue of their own, one adapter at a time.
private struct RuntimeLoading: AdapterLoading {
    private static let queue = DispatchQueue(label: "quire.adapters", qos: .utility)
    let adapters: LoadedAdapters

    func load(_ name: String, path: String) async throws {
        let result: Result<Void, LoadedAdapters.Failure> = await withCheckedContinuation { continuation in
            Self.queue.async { [adapters] in
                continuation.resume(
                    returning: Result { () throws(LoadedAdapters.Failure) in try adapters.load(name, path: path) })
            }
        }
        do { try result.get() } catch { throw AdapterRefusal(error) }
    }

    func unload(_ name: String) async throws {
        do { try adapters.unload(name) } catch { throw AdapterRefusal(error) }
    }
}

extension AdapterRefusal {
    fileprivate init(_ failure: LoadedAdapters.Failure) {
        switch failure {
        case .nameTaken: self = .nameTaken
        case .unknownName: self = .unknownName
        case .notFound(let reason): self = .notFound("No adapter found: \(reason)")
        case .unusable(let reason): self = .unusable(reason)
        }
    }
}
