import FoundationEssentials
import Requests

/// `quire generate --json`: one answer with what it took.
struct GenerationReport: Encodable {
    let text: String
    let promptTokens: Int
    let completionTokens: Int
    let finishReason: String
    let timeToFirstTokenSeconds: Double
    let decodeTokensPerSecond: Double?

    private enum CodingKeys: String, CodingKey {
        case text
        case promptTokens = "prompt_tokens"
        case completionTokens = "completion_tokens"
        case finishReason = "finish_reason"
        case timeToFirstTokenSeconds = "time_to_first_token_seconds"
        case decodeTokensPerSecond = "decode_tokens_per_second"
    }

    init(
        text: String, promptCount: Int, outputCount: Int, reason: FinishReason, secondsToFirstToken: Double,
        secondsAfter: Double
    ) {
        self.text = text
        promptTokens = promptCount
        completionTokens = outputCount
        finishReason =
            switch reason {
            case .length: "length"
            case .stopToken, .stopString: "stop"
            case .abort: "abort"
            case .failure, .rejected: "error"
            }
        timeToFirstTokenSeconds = secondsToFirstToken
        decodeTokensPerSecond = outputCount > 1 && secondsAfter > 0 ? Double(outputCount - 1) / secondsAfter : nil
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
