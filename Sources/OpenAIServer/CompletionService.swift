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
    /// Turns messages into a prompt; nil: the model has none and chat is refused.
    var chatTemplate: ChatTemplate? { get }
    /// Text of the token that begins a sequence, for the template.
    var bosToken: String? { get }
    /// Text of the token that ends a sequence, for the template.
    var eosToken: String? { get }
    /// The model's end-of-text tokens: they end every request that does not set `ignore_eos`.
    var endTokenIDs: [Int32] { get }

    /// Takes a request and returns at once; ending the stream's iteration, or dropping the stream, aborts the request.
    func submit(_ request: GenerationRequest) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error>
}
