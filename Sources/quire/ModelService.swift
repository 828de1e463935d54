import Assembly
import InferenceEngine
import OpenAIServer
import Tokenization

/// A served model as the server sees it.
struct ModelService: CompletionService {
    let modelName: String
    let created = UnixTime.now
    private let model: ServedModel

    init(name: String, model: ServedModel) {
        modelName = name
        self.model = model
    }

    var maxModelLength: Int { model.engine.limits.maxModelLength }
    var tokenizer: any Tokenizer { model.tokenizer }
    var chatTemplate: ChatTemplate? { model.chatTemplate }
    var bosToken: String? { model.specialTokens["bos_token"] }
    var eosToken: String? { model.specialTokens["eos_token"] }
    var endTokenIDs: [Int32] { model.endTokenIDs }

    func submit(
        _ request: GenerationRequest
    ) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error> {
        try model.engine.submit(request)
    }
}
