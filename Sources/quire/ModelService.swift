import Assembly
import ChatTemplates
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
    var chatTemplates: ChatTemplateSet? { model.chatTemplates }
    var specialTokens: [String: String] { model.specialTokens }
    var endTokenIDs: [Int32] { model.endTokenIDs }

    func submit(
        _ request: GenerationRequest
    ) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error> {
        try model.engine.submit(request)
    }
}
