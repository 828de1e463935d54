import JSON
import Requests
import Tokenization

/// Writes tokens and their log probabilities as JSON.
struct TokenWriter: Sendable {
    /// The model's tokenizer.
    let tokenizer: any Tokenizer
    /// Whether tokens are written `token_id:7`.
    let writesIDs: Bool

    /// The token's text; bytes that are no whole character become U+FFFD.
    func text(_ token: Int32) -> String {
        writesIDs ? "token_id:\(token)" : plainText(token)
    }

    private func plainText(_ token: Int32) -> String {
        String(decoding: tokenizer.bytes(of: token) ?? [], as: UTF8.self)
    }

    /// A log probability. JSON has no infinity, so impossible tokens get -9999, as in vLLM.
    static func number(_ logprob: Float) -> JSONValue { .number(Double(max(logprob, -9999))) }

    /// An entry of chat's `logprobs.content`.
    func chatEntry(_ logprobs: TokenLogprobs, topCount: Int) -> JSONValue {
        guard case .object(var object) = chatToken(logprobs.chosen) else { return nil }
        object.append("top_logprobs", .array(logprobs.top.prefix(topCount).map(chatToken)))
        return .object(object)
    }

    private func chatToken(_ logprob: TokenLogprob) -> JSONValue {
        [
            "token": .string(text(logprob.token)), "logprob": Self.number(logprob.logprob),
            "bytes": .array((tokenizer.bytes(of: logprob.token) ?? []).map { .integer(Int($0)) }),
        ]
    }

    /// vLLM's `prompt_logprobs`: null for the first token, then for each an object by token id.
    func promptLogprobs(_ scores: [TokenLogprobs], topCount: Int) -> JSONValue {
        .array(
            [nil]
                + scores.map { score in
                    var object = JSONObject()
                    var seen: Set<Int32> = []
                    for entry in [score.chosen] + score.top.prefix(topCount) where seen.insert(entry.token).inserted {
                        object.append(
                            "\(entry.token)",
                            [
                                "logprob": Self.number(entry.logprob), "rank": .integer(entry.rank),
                                "decoded_token": .string(plainText(entry.token)),
                            ])
                    }
                    return .object(object)
                })
    }
}
