import Testing

@testable import Comparison

@Suite("Scoring a text")
struct TextMeasurementTests {
    private func scores(
        _ model: ScriptedModel, text: String = "abcabd", window: Int = 100, opens: Bool = false,
        maxTokenCount: Int = 1000, use: DistributionUse? = nil
    ) throws -> TextScores {
        var settings = ComparisonSettings()
        settings.windowTokenCount = window
        return try TextMeasurement(try ComparisonInputs(text: text), settings, distributions: use).run(
            OpeningTokenizer(opens: opens), vocabularySize: model.vocabularySize, maxTokenCount: maxTokenCount,
            score: model.score)
    }

    @Test("a model that knows nothing has the vocabulary's size as perplexity")
    func uniform() throws {
        let scores = try scores(.uniform)
        #expect(scores.negativeLogLikelihoods.count == 5 && scores.against == nil && scores.vocabularySize == 129)
        let perplexity = try #require(Estimate(meanOf: scores.negativeLogLikelihoods.map { Double($0) })).exponential
        #expect(abs(perplexity.value - 129) < 1e-3)
    }

    @Test("every token but a window's first is predicted from the one before it")
    func targets() throws {
        // Right about b, c, b of "abcabd": log(e^9 + 128) - 9 there, 9 more for a and d.
        let hit: Float = 0.0156729
        let scores = try scores(.successor(9))
        for (value, expected) in zip(scores.negativeLogLikelihoods, [hit, hit, hit + 9, hit, hit + 9]) {
            #expect(abs(value - expected) < 1e-4)
        }
    }

    @Test("windows begin anew, with what the vocabulary puts before a text")
    func windows() throws {
        #expect(try scores(.uniform, window: 3).negativeLogLikelihoods.count == 4)
        #expect(try scores(.uniform, window: 4).negativeLogLikelihoods.count == 3 + 1)
        // A window of one token predicts nothing.
        #expect(try scores(.uniform, window: 5).negativeLogLikelihoods.count == 4)
        #expect(try scores(.uniform, maxTokenCount: 2).negativeLogLikelihoods.count == 3)
        let opened = try scores(.uniform, window: 4, opens: true)
        #expect(opened.negativeLogLikelihoods.count == 6 && opened.tokenCount == 8)
        #expect(OpeningTokenizer(opens: true).vocabularySize == 129)
    }

    @Test("a tokenizer with more tokens than the model is an error, not a look beyond the logits")
    func foreignTokenizer() throws {
        let measurement = TextMeasurement(
            try ComparisonInputs(text: "ab"), ComparisonSettings(), distributions: nil)
        #expect(throws: ComparisonError.tokenOutOfVocabulary(token: 98, vocabularySize: 98)) {
            try measurement.run(
                OpeningTokenizer(), vocabularySize: 98, maxTokenCount: 10, score: ScriptedModel.uniform.score)
        }
    }

    @Test("no more of the text is used than was asked for")
    func amount() throws {
        var settings = ComparisonSettings()
        settings.textTokenCount = 10
        let inputs = try ComparisonInputs(text: String(repeating: "x", count: 5000))
        let scores = try TextMeasurement(inputs, settings, distributions: nil).run(
            OpeningTokenizer(), vocabularySize: 129, maxTokenCount: 100, score: ScriptedModel.uniform.score)
        #expect(scores.tokenCount == 10)
    }

    @Test("a text of one token is too short")
    func tooShort() {
        #expect(throws: ComparisonError.tooShort(tokenCount: 1)) { try scores(.uniform, text: "a") }
    }

    @Test("a logit that is no number is an error with its place")
    func notFinite() {
        let broken = ScriptedModel { token in
            var row = [Float](repeating: 0, count: 129)
            if token == 99 { row[7] = .nan }
            return row
        }
        #expect(throws: ComparisonError.notFinite(position: 2)) { try scores(broken) }
    }

    @Test("a model beside itself differs by nothing at all")
    func itself() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/d"
        _ = try scores(.successor(2), use: .write(path: path, identity: "one"))
        let against = try #require(try scores(.successor(2), use: .read(path: path, identity: "one")).against)
        #expect(
            against.obstacle == nil && against.divergences == [0, 0, 0, 0, 0] && against.agreements.allSatisfy { $0 })
    }

    @Test("two models differ by their KL divergence")
    func others() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/d"
        _ = try scores(.successor(2), use: .write(path: path, identity: "one"))
        let against = try #require(try scores(.uniform, use: .read(path: path, identity: "one")).against)
        // p = e^2/(e^2 + 128) = 0.0545766 and 128 times 0.0073861: log 129 minus the entropy.
        for value in against.divergences { #expect(abs(value - 0.0608128) < 1e-5) }
        // All alike: the first is taken, which is no token's successor here.
        #expect(against.divergences.count == 5 && against.agreements.allSatisfy { !$0 })
    }

    @Test("other vocabularies and other numbers of tokens are said to be incomparable")
    func incomparable() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/d"
        _ = try scores(.uniform, use: .write(path: path, identity: "one"))
        var other = ScriptedModel.uniform
        other.vocabularySize = 130
        other.logits = { _ in [Float](repeating: 0, count: 130) }
        let against = try #require(try scores(other, use: .read(path: path, identity: "one")).against)
        #expect(against.obstacle?.contains("vocabulary of 130") == true && against.divergences.isEmpty)
        let fewer = try #require(
            try scores(.uniform, window: 3, use: .read(path: path, identity: "one")).against)
        #expect(fewer.obstacle?.contains("4 tokens") == true)
    }
}
