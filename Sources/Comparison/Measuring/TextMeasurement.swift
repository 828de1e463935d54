public import Tokenization

/// What a worker does with the reference's distributions.
public enum DistributionUse: Sendable, Hashable, Codable {
    /// It is the reference: it writes them, under the name `identity`.
    case write(path: String, identity: String)
    /// It reads them and compares.
    case read(path: String, identity: String)
}

/// Scores the text: every token is predicted from the tokens before it in its window.
public struct TextMeasurement {
    /// Lends each position of a sequence with the logits of what follows it, in order.
    public typealias Score = (
        _ tokens: [Int32], _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws -> Void

    private let inputs: ComparisonInputs
    private let settings: ComparisonSettings
    private let use: DistributionUse?

    /// A measurement of `inputs.text`.
    public init(_ inputs: ComparisonInputs, _ settings: ComparisonSettings, distributions use: DistributionUse?) {
        self.inputs = inputs
        self.settings = settings
        self.use = use
    }

    /// Runs a model over the text, in windows of at most `maxTokenCount` tokens. `progress` is called with the fraction that
    /// is done, 0 to 1.
    /// Throws `ComparisonError` and what `score` throws.
    public func run(
        _ tokenizer: any Tokenizer, vocabularySize: Int, maxTokenCount: Int, progress: (Double) -> Void = { _ in },
        score: Score
    ) throws -> TextScores {
        let windows = try windows(tokenizer, maxTokenCount: maxTokenCount)
        for window in windows {
            for token in window.tokens where token < 0 || Int(token) >= vocabularySize {
                throw ComparisonError.tokenOutOfVocabulary(token: token, vocabularySize: vocabularySize)
            }
        }
        var scores = TextScores()
        scores.vocabularySize = vocabularySize
        var digest = Digest()
        for window in windows {
            scores.tokenCount += window.tokens.count
            window.tokens.withUnsafeBytes { digest.update($0) }
        }
        scores.tokensDigest = digest.text
        var writer: DistributionWriter?
        var reader: DistributionReader?
        switch use {
        case .write(let path, let identity):
            writer = try DistributionWriter(path: path, identity: identity, vocabularySize: vocabularySize)
        case .read(let path, let identity):
            let opened = try DistributionReader(path: path, identity: identity)
            let count = windows.reduce(0) { $0 + $1.predictedCount }
            scores.against = TextScores.Against()
            if opened.vocabularySize != vocabularySize || opened.rowCount != count {
                scores.against?.obstacle =
                    "\(count) tokens of a vocabulary of \(vocabularySize) are predicted, by the reference "
                    + "\(opened.rowCount) of \(opened.vocabularySize)"
            } else {
                reader = opened
            }
        case nil: break
        }
        for (index, window) in windows.enumerated() {
            try score(window.tokens) { position, row in
                guard position + 1 >= window.firstPredicted, position + 1 < window.tokens.count else { return }
                guard LogDistribution.normalize(row) else { throw ComparisonError.notFinite(position: position) }
                scores.negativeLogLikelihoods.append(-row[Int(window.tokens[position + 1])])
                try writer?.append(row)
                try reader?.next { reference in
                    scores.against?.divergences.append(Float(LogDistribution.divergence(of: reference, from: row)))
                    scores.against?.agreements.append(LogDistribution.mode(reference) == LogDistribution.mode(row))
                }
            }
            progress(Double(index + 1) / Double(windows.count))
        }
        try writer?.finish()
        return scores
    }

    private struct Window {
        let tokens: [Int32]
        /// Tokens before it are given.
        let firstPredicted: Int
        var predictedCount: Int { tokens.count - firstPredicted }
    }

    /// The text in windows, each with the tokens that the vocabulary prescribes at the beginning of a text.
    private func windows(_ tokenizer: any Tokenizer, maxTokenCount: Int) throws(ComparisonError) -> [Window] {
        let opening = Self.openingTokens(tokenizer)
        let length = min(settings.windowTokenCount, maxTokenCount) - opening.count
        // Tokens are shorter than that; the rest of a long text need not be looked at.
        let beginning = String(inputs.text.prefix(settings.textTokenCount * 64))
        let tokens = tokenizer.encode(beginning, addSpecialTokens: false, parseSpecialTokens: false)
            .prefix(settings.textTokenCount)
        let first = max(1, opening.count)
        var windows: [Window] = []
        for start in stride(from: 0, to: tokens.count, by: max(length, 1)) {
            let window = opening + tokens[start..<min(start + max(length, 1), tokens.count)]
            if window.count > first { windows.append(Window(tokens: window, firstPredicted: first)) }
        }
        guard !windows.isEmpty else { throw .tooShort(tokenCount: tokens.count) }
        return windows
    }

    static func openingTokens(_ tokenizer: any Tokenizer) -> [Int32] {
        let plain = tokenizer.encode("a", addSpecialTokens: false, parseSpecialTokens: false)
        let marked = tokenizer.encode("a", addSpecialTokens: true, parseSpecialTokens: false)
        let start = (0...max(0, marked.count - plain.count)).first { marked[$0...].starts(with: plain) }
        return Array(marked.prefix(start ?? 0))
    }
}
