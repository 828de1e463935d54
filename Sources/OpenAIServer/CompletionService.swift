public import ChatTemplates
public import InferenceEngine
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

    /// Submits a request and returns immediately. Ending the stream's iteration or releasing the stream aborts the
    /// request.
    func submit(_ request: GenerationRequest) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error>
}
