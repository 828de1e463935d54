import JSON

/// Reads the `pre_tokenizer` of `tokenizer.json`.
struct PreTokenizerReader {
    private var isByteLevel = false

    /// The cuts that `node` asks for.
    func steps(_ node: JSONNode) throws(TokenizationError) -> [PreTokenizer.Step] {
        var reader = self
        let steps = try reader.read(node)
        guard reader.isByteLevel else { throw node.error(expected: "a ByteLevel pre-tokenizer at the end") }
        // Each cut is made inside of the one before it.
        guard steps.count <= 16 else { throw node.error(expected: "at most 16 cuts") }
        return steps
    }

    private mutating func read(_ node: JSONNode) throws(TokenizationError) -> [PreTokenizer.Step] {
        // After ByteLevel words are in its alphabet, and no rule on characters means what it says.
        if isByteLevel { throw node.error(expected: "nothing after the ByteLevel pre-tokenizer") }
        let type = node["type"]
        switch try type.string() {
        case "Sequence":
            var steps: [PreTokenizer.Step] = []
            for element in try node["pretokenizers"].elements() { steps += try read(element) }
            return steps
        case "Digits": return [.numbers(individually: try node.bool("individual_digits") ?? false)]
        case "Split": return [.pattern(try pattern(node))]
        case "ByteLevel":
            isByteLevel = true
            let leadingSpace: [PreTokenizer.Step] =
                try node.bool("add_prefix_space") ?? true ? [.leadingSpace] : []
            return leadingSpace + (try node.bool("use_regex") ?? true ? [.pattern(.gpt2)] : [])
        default: throw type.error(expected: "\"ByteLevel\", \"Digits\", \"Split\" or \"Sequence\"")
        }
    }

    private func pattern(_ node: JSONNode) throws(TokenizationError) -> SplitPattern {
        let regex = node["pattern"]["Regex"]
        guard let pattern = SplitPattern(regex: try regex.string()) else {
            throw regex.error(expected: "the pattern of GPT-2, Llama 3 or Qwen2")
        }
        // The known patterns match every character, so that keeping what matches and cutting at it are the same.
        let behavior = try node["behavior"].string()
        switch (behavior, try node.bool("invert") ?? false) {
        case ("Isolated", false), ("Removed", true): return pattern
        default:
            throw node["behavior"].error(expected: "\"Isolated\", or \"Removed\" with \"invert\": true")
        }
    }
}
