import JSON

/// Reads the `pre_tokenizer` of `tokenizer.json`.
struct PreTokenizerReader {
    private var steps: [PreTokenizer.Step] = []
    private var patterns: PatternReader

    /// The recursion of `PreTokenizer` is as deep as the number of steps.
    private static let maximumCount = 32

    /// The steps of the pre-tokenizer `node`, and whether tokens are of bytes: the last step wrote these in the
    /// byte-level alphabet, and was left out.
    static func read(
        _ node: JSONNode, patterns: inout PatternReader
    ) throws(TokenizationError) -> (steps: [PreTokenizer.Step], isByteLevel: Bool) {
        var reader = PreTokenizerReader(patterns: patterns)
        if !node.isNull { try reader.read(node) }
        patterns = reader.patterns
        var steps = reader.steps
        guard steps.count <= maximumCount else { throw node.error(expected: "at most \(maximumCount) steps") }
        guard case .byteLevel = steps.last else { return (steps, false) }
        steps.removeLast()
        return (steps, true)
    }

    private init(patterns: PatternReader) { self.patterns = patterns }

    private mutating func read(_ node: JSONNode) throws(TokenizationError) {
        let type = node["type"]
        switch try type.string() {
        case "Sequence":
            for element in try node["pretokenizers"].elements() {
                try read(element)
                guard steps.count <= Self.maximumCount else {
                    throw node.error(expected: "at most \(Self.maximumCount) steps")
                }
            }
        case "ByteLevel":
            if try node.bool("add_prefix_space") ?? true { steps.append(.leadingSpace) }
            if try node.bool("use_regex") ?? true { steps.append(.pattern(.gpt2)) }
            steps.append(.byteLevel)
        case "Split": steps.append(try split(node))
        case "Digits":
            let isIndividual = try node.bool("individual_digits") ?? false
            steps.append(.scalars(.numeric, isIndividual ? .isolated : .contiguous))
        case "Punctuation":
            steps.append(.scalars(.punctuation, node["behavior"].isNull ? .isolated : try behavior(node)))
        case "Metaspace": steps.append(.metaspace(try MetaspaceReader.read(node)))
        case "WhitespaceSplit": steps.append(.scalars(.whitespace, .removed))
        case "Whitespace":
            // Here \w is that of Rust, which has the two joiners as well.
            let pattern = try patterns.expression(
                #"[\w\u200C\u200D]+|[^\w\s\u200C\u200D]+"#, file: node.file, key: node.path)
            steps.append(.split(pattern, .removed, isInverted: true))
        case "BertPreTokenizer":
            steps += [.scalars(.whitespace, .removed), .scalars(.punctuation, .isolated)]
        case "CharDelimiterSplit":
            let delimiter = String(decoding: try node.character("delimiter"), as: UTF8.self).unicodeScalars.first
            steps.append(.scalars(.one(delimiter?.value ?? 0), .removed))
        case "FixedLength":
            let length = node["length"].isNull ? 5 : try node["length"].integer()
            guard length > 0 else { throw node["length"].error(expected: "a positive number") }
            steps.append(.length(length))
        default:
            throw type.error(
                expected: "\"ByteLevel\", \"Split\", \"Digits\", \"Punctuation\", \"Metaspace\", \"Whitespace\", "
                    + "\"WhitespaceSplit\", \"BertPreTokenizer\", \"CharDelimiterSplit\", \"FixedLength\" or \"Sequence\""
            )
        }
    }

    private mutating func split(_ node: JSONNode) throws(TokenizationError) -> PreTokenizer.Step {
        let behavior = try behavior(node)
        let isInverted = try node.bool("invert") ?? false
        // The known patterns match every character, so keeping matches and splitting at them are the same.
        if behavior == .isolated && !isInverted || behavior == .removed && isInverted,
            case .string(let regex)? = node["pattern"]["Regex"].value, let known = SplitPattern(regex: regex)
        {
            return .pattern(known)
        }
        return .split(try patterns.pattern(node), behavior, isInverted: isInverted)
    }

    private func behavior(_ node: JSONNode) throws(TokenizationError) -> SplitBehavior {
        switch try node["behavior"].string() {
        case "Isolated": .isolated
        case "Removed": .removed
        case "Contiguous": .contiguous
        case "MergedWithPrevious": .mergedWithPrevious
        case "MergedWithNext": .mergedWithNext
        default:
            throw node["behavior"].error(
                expected: "\"Isolated\", \"Removed\", \"Contiguous\", \"MergedWithPrevious\" or \"MergedWithNext\"")
        }
    }
}
