import Tokenization
import Weights

extension ByteLevelBPETokenizer {
    /// The tokenizer that a checkpoint names.
    init(_ origin: TokenizerOrigin) throws {
        switch origin {
        case .tokenizerJSON(let path, let tokens):
            try WeightLoadingError.checkContent(ofFile: path)
            try self.init(tokenizerJSONPath: path, adding: tokens.map { NamedToken($0) })
        case .gguf(let metadata): try self.init(vocabulary: GGUFVocabulary(metadata))
        }
    }
}

extension NamedToken {
    init(_ token: CheckpointToken) {
        self.init(
            token.content, isSpecial: token.isSpecial, stripsLeft: token.lstrip, stripsRight: token.rstrip,
            isSingleWord: token.singleWord, isNormalized: token.isNormalized)
    }
}

extension GGUFVocabulary {
    init(_ metadata: GGUFTokenizerMetadata) {
        func id(_ value: Int?) -> Int32? { value.map { Int32(truncatingIfNeeded: $0) } }
        self.init(
            model: metadata.model, pre: metadata.pre ?? "default", tokens: metadata.tokens,
            tokenTypes: metadata.tokenTypes.map { Int32(truncatingIfNeeded: $0) }, merges: metadata.merges,
            scores: metadata.scores, bosID: id(metadata.bosID), eosID: id(metadata.eosID),
            unknownID: id(metadata.unknownID), paddingID: id(metadata.paddingID), addBOS: metadata.addBOS,
            addEOS: metadata.addEOS ?? false, chatTemplate: nil)
    }
}
