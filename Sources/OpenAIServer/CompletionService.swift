public import ChatTemplates
public import InferenceEngine
public import Tokenization

/// What the server needs of an engine: on the command line an `AsyncLLMEngine`, in tests a scripted one.
public protocol CompletionService: Sendable {
    /// The name clients use in `model`.
    var modelName: String { get }
    /// Tokens of prompt and output together that one sequence can hold.
    var maxModelLength: Int { get }
    /// When the model was loaded, in seconds since 1970.
    var created: Int { get }
    /// Text to tokens and back.
    var tokenizer: any Tokenizer { get }
    /// Turn messages into a prompt; nil: the model has none and chat is refused.
    var chatTemplates: ChatTemplateSet? { get }
    /// Texts of special tokens for templates, by the names that those use: `bos_token`, `eos_token`, `pad_token`.
    var specialTokens: [String: String] { get }
    /// The model's end-of-text tokens: they end every request that does not set `ignore_eos`.
    var endTokenIDs: [Int32] { get }

    /// Takes a request and returns at once; ending the stream's iteration, or dropping the stream, aborts the request.
    func submit(_ request: GenerationRequest) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error>
}
