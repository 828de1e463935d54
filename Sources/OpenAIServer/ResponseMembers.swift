import FoundationEssentials
import JSON
import Requests

extension JSONObject {
    /// The members that every response begins with: a new id, the kind of object, the time and the model.
    static func responseHeader(idPrefix: String, object: String, model: String) -> JSONObject {
        let number = UInt64.random(in: .min ... .max)
        let digits = String(number, radix: 16)
        var header = JSONObject()
        header.append("id", .string("\(idPrefix)-\(String(repeating: "0", count: 16 - digits.count))\(digits)"))
        header.append("object", .string(object))
        header.append("created", .integer(Int(Date().timeIntervalSince1970)))
        header.append("model", .string(model))
        return header
    }
}

extension FinishReason {
    /// The value of OpenAI's `finish_reason`; `abort` is vLLM's.
    var name: String {
        switch self {
        case .stopToken, .stopString: "stop"
        case .length: "length"
        case .abort, .failure, .rejected: "abort"
        }
    }

    /// vLLM's `stop_reason`: the stop string or token of the request that ended the text; null for the model's end
    /// token.
    func stopReason(_ sampling: SamplingParameters) -> JSONValue {
        switch self {
        case .stopString(let text): .string(text)
        case .stopToken(let token) where sampling.stopTokenIDs.contains(token): .integer(Int(token))
        default: .null
        }
    }
}

/// The numbers of tokens of a request.
struct Usage: Sendable, Equatable {
    var promptCount: Int
    var completionCount = 0

    /// OpenAI's usage object. The number of cached prompt tokens is not known here, so it is null, as in vLLM.
    var json: JSONValue {
        [
            "prompt_tokens": .integer(promptCount), "total_tokens": .integer(promptCount + completionCount),
            "completion_tokens": .integer(completionCount), "prompt_tokens_details": nil,
        ]
    }
}
