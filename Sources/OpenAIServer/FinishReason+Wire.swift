import JSON
import Requests

extension FinishReason {
    /// `finish_reason` of OpenAI's answers; `abort` is vLLM's.
    var name: String {
        switch self {
        case .stopToken, .stopString: "stop"
        case .length: "length"
        case .abort, .failure, .rejected: "abort"
        }
    }

    /// vLLM's `stop_reason`: the stop string or token of the request that ended the text, null for the model's own end.
    func stopReason(_ sampling: SamplingParameters) -> JSONValue {
        switch self {
        case .stopString(let text): .string(text)
        case .stopToken(let token) where sampling.stopTokenIDs.contains(token): .integer(Int(token))
        default: .null
        }
    }
}
