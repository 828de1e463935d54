/// Why a comparison cannot be made, or a part of it.
public enum ComparisonError: Error, Equatable, CustomStringConvertible {
    /// A text or a file of prompts is wrong; `line` counts from 1.
    case input(file: String, line: Int?, reason: String)
    /// The folder for results cannot be used.
    case folder(path: String, reason: String)
    /// A file of the comparison's own cannot be used.
    case storage(path: String, reason: String)
    /// A model gave a logit that is no number.
    case notFinite(position: Int)
    /// The text is too short to be scored.
    case tooShort(tokenCount: Int)
    /// The tokenizer has tokens that the model lacks.
    case tokenOutOfVocabulary(token: Int32, vocabularySize: Int)
    /// A prompt of the file leaves no room for an answer.
    case promptTooLong(number: Int, tokenCount: Int, limit: Int)
    /// A request of the load is longer than the model's longest sequence.
    case loadTooLong(tokenCount: Int, limit: Int)
    /// Prompts were to be put into a chat template, and the checkpoint has none.
    case noChatTemplate

    public var description: String {
        switch self {
        case .input(let file, let line?, let reason): "\(file):\(line): \(reason)"
        case .input(let file, nil, let reason), .folder(let file, let reason), .storage(let file, let reason):
            "\(file): \(reason)"
        case .notFinite(let position): "the logits at position \(position) of the text are not finite"
        case .tooShort(let count): "the text has \(count) tokens; two are needed at least"
        case .tokenOutOfVocabulary(let token, let size):
            "the tokenizer makes token \(token) of the text, which is outside the model's vocabulary of \(size) tokens"
        case .promptTooLong(let number, let count, let limit):
            "prompt \(number) has \(count) tokens; the model takes \(limit) with its answer"
        case .loadTooLong(let count, let limit):
            "a request of the load has \(count) tokens, the model's longest sequence \(limit)"
        case .noChatTemplate: "the checkpoint has no chat template"
        }
    }

    /// Whether the user's files are wrong.
    public var isUserError: Bool {
        switch self {
        case .input, .folder, .tooShort, .tokenOutOfVocabulary, .promptTooLong, .loadTooLong, .noChatTemplate: true
        case .storage, .notFinite: false
        }
    }
}
