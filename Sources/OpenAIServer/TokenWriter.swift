import JSON
import Requests
import Tokenization

/// Writes tokens and their log probabilities as JSON.
struct TokenWriter: Sendable {
    let tokenizer: any Tokenizer
    /// Whether tokens are written `token_id:7`.
    let writesIDs: Bool

    /// The token's text; bytes that are not a whole character become U+FFFD.
    func text(_ token: Int32) -> String {
        writesIDs ? "token_id:\(token)" : plainText(token)
    }

    private func plainText(_ token: Int32) -> String {
        String(decoding: tokenizer.bytes(of: token) ?? [], as: UTF8.self)
    }

    /// A log probability. JSON has no infinity, so impossible tokens have -9999, as in vLLM.
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

/// OpenAI's older object for log probabilities, in the completions route: four lists of equal length.
struct LegacyLogprobs: Sendable {
    private let writer: TokenWriter
    private let topCount: Int
    /// The number of Unicode scalars before the next token.
    private var offset = 0
    private var tokens: [JSONValue] = []
    private var tokenLogprobs: [JSONValue] = []
    private var topLogprobs: [JSONValue] = []
    private var textOffsets: [JSONValue] = []

    /// An empty object; tokens get `topCount` alternatives.
    init(_ writer: TokenWriter, topCount: Int) {
        self.writer = writer
        self.topCount = topCount
    }

    /// Adds a prompt. Its first token has no score; the others have `scores`.
    mutating func append(prompt: [Int32], scores: [TokenLogprobs]) {
        guard let first = prompt.first else { return }
        append(first, nil, nil)
        for score in scores { append(score) }
    }

    /// Adds a token with its alternatives.
    mutating func append(_ logprobs: TokenLogprobs) {
        var top = JSONObject()
        var seen: Set<String> = []
        // Tokens that are parts of a character can have the same text; the likelier one is kept.
        for entry in logprobs.top.prefix(topCount) + [logprobs.chosen]
        where seen.insert(writer.text(entry.token)).inserted {
            top.append(writer.text(entry.token), TokenWriter.number(entry.logprob))
        }
        append(logprobs.chosen.token, TokenWriter.number(logprobs.chosen.logprob), .object(top))
    }

    private mutating func append(_ token: Int32, _ logprob: JSONValue?, _ top: JSONValue?) {
        let text = writer.text(token)
        tokens.append(.string(text))
        tokenLogprobs.append(logprob ?? .null)
        topLogprobs.append(top ?? .null)
        textOffsets.append(.integer(offset))
        offset += text.unicodeScalars.count
    }

    /// Returns the object of all tokens since the last call.
    mutating func take() -> JSONValue {
        defer { (tokens, tokenLogprobs, topLogprobs, textOffsets) = ([], [], [], []) }
        return [
            "text_offset": .array(textOffsets), "token_logprobs": .array(tokenLogprobs), "tokens": .array(tokens),
            "top_logprobs": .array(topLogprobs),
        ]
    }
}
