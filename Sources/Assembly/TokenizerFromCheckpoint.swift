import Tokenization
import Weights

extension TokenizerPipeline {
    /// The tokenizer that a checkpoint names.
    init(_ origin: TokenizerOrigin) throws {
        switch origin {
        case .tokenizerJSON(let path, let tokens):
            try WeightLoadingError.checkContent(ofFile: path)
            try self.init(tokenizerJSONPath: path, adding: tokens)
        case .gguf(let vocabulary): try self.init(vocabulary: vocabulary)
        }
    }
}
