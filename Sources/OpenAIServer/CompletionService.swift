public import ChatTemplates
public import InferenceEngine
public import Requests
public import Tokenization

/// The engine behind the server. The command line implements it with an `AsyncLLMEngine`, tests with scripted results.
public protocol CompletionService: Sendable {
    /// The model's name in requests (`model`).
    var modelName: String { get }
    /// Maximum number of tokens of prompt and output together.
    var maxModelLength: Int { get }
    /// When the model was loaded, in seconds since 1970.
    var created: Int { get }
    var tokenizer: any Tokenizer { get }
    /// The templates that render messages; nil: the model has none, and chat requests are refused.
    var chatTemplates: ChatTemplateSet? { get }
    /// Texts of special tokens by their names in templates: `bos_token`, `eos_token`, `pad_token`.
    var specialTokens: [String: String] { get }
    /// The model's end-of-text tokens, which end every request without `ignore_eos`.
    var endTokenIDs: [Int32] { get }

    /// The LoRA adapters that requests may name as their `model`, in the order of their names.
    var adapters: [ServedAdapter] { get }
    /// The adapter of that name; nil: there is none.
    func adapter(named name: String) -> AdapterID?
    /// What loads and unloads adapters for clients; nil: the configuration does not allow it.
    var adapterLoading: (any AdapterLoading)? { get }

    /// Submits a request and returns immediately. Ending the stream's iteration or releasing the stream aborts the
    /// request.
    func submit(_ request: GenerationRequest) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error>
}

extension CompletionService {
    public var adapters: [ServedAdapter] { [] }
    public func adapter(named name: String) -> AdapterID? { nil }
    public var adapterLoading: (any AdapterLoading)? { nil }
}

/// An adapter as `/v1/models` lists it.
public struct ServedAdapter: Sendable, Hashable {
    /// Its name in requests (`model`).
    public let name: String
    /// When it was loaded, in seconds since 1970.
    public let created: Int

    public init(name: String, created: Int) {
        self.name = name
        self.created = created
    }
}

/// Loads and unloads adapters while the server runs.
public protocol AdapterLoading: Sendable {
    /// Loads the adapter at `path` and serves it as `name`. Throws an `AdapterRefusal`.
    func load(_ name: String, path: String) async throws
    /// Serves the adapter `name` no longer; its running requests are finished. Throws an `AdapterRefusal`.
    func unload(_ name: String) async throws
}

/// Why an adapter was not loaded or unloaded.
public enum AdapterRefusal: Error, Sendable, Hashable {
    /// The name is taken by the model or by another adapter.
    case nameTaken
    /// No adapter has the name.
    case unknownName
    /// There is no adapter at the path; the sentence says what is missing.
    case notFound(String)
    /// The adapter does not fit the model, or its files are bad; the sentence says where.
    case unusable(String)
}
