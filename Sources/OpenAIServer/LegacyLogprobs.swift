import JSON
import Requests

/// OpenAI's older log probabilities object, of the completions route: four lists of equal length.
struct LegacyLogprobs: Sendable {
    private let writer: TokenWriter
    private let topCount: Int
    /// Unicode scalars of text before the next token.
    private var offset = 0
    private var tokens: [JSONValue] = []
    private var tokenLogprobs: [JSONValue] = []
    private var topLogprobs: [JSONValue] = []
    private var textOffsets: [JSONValue] = []

    /// No tokens yet; `topCount` alternatives for each.
    init(_ writer: TokenWriter, topCount: Int) {
        self.writer = writer
        self.topCount = topCount
    }

    /// Adds a prompt: its first token has no score, each other one of `scores`.
    mutating func append(prompt: [Int32], scores: [TokenLogprobs]) {
        guard let first = prompt.first else { return }
        append(first, nil, nil)
        for score in scores { append(score) }
    }

    /// Adds a token with its alternatives.
    mutating func append(_ logprobs: TokenLogprobs) {
        var top = JSONObject()
        var seen: Set<String> = []
        // Tokens that are different bytes of one character have the same text: the likelier one stays.
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

    /// The object of all tokens since the last call.
    mutating func take() -> JSONValue {
        defer { (tokens, tokenLogprobs, topLogprobs, textOffsets) = ([], [], [], []) }
        return [
            "text_offset": .array(textOffsets), "token_logprobs": .array(tokenLogprobs), "tokens": .array(tokens),
            "top_logprobs": .array(topLogprobs),
        ]
    }
}
