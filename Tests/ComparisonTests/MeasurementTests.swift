import Benchmarking
import ChatTemplates
import InferenceEngine
import Requests
import Testing
import Tokenization

@testable import Comparison

@Suite("Continuations and load, on an engine without a model")
struct MeasurementTests {
    private func continuations(
        _ inputs: ComparisonInputs, _ settings: ComparisonSettings, template: ChatTemplate? = nil,
        endTokenIDs: [Int32] = []
    ) async throws -> [Continuation] {
        let engine = scriptedEngine()
        defer { engine.stop() }
        return try await ContinuationMeasurement(
            engine, tokenizer: OpeningTokenizer(opens: false), template: template, specialTokens: [:],
            endTokenIDs: endTokenIDs
        ).run(inputs, settings)
    }

    /// What the scripted executor makes of `prompt`.
    private func expected(_ prompt: String, count: Int) -> [Int32] {
        var context = prompt.utf8.map { Int32($0) }
        return (0..<count).map { _ in
            context.append(ScriptedExecutor.next(after: context, vocabularySize: 128))
            return context[context.count - 1]
        }
    }

    @Test("each prompt is continued, in order, more of them than run at once")
    func order() async throws {
        let prompts = (0..<40).map { "prompt number \($0)" }
        var settings = ComparisonSettings()
        settings.continuationTokenCount = 9
        let result = try await continuations(try ComparisonInputs(text: "t", prompts: prompts), settings)
        #expect(result.map(\.tokens) == prompts.map { expected($0, count: 9) })
        #expect(result.map(\.promptTokens) == prompts.map { $0.utf8.map { Int32($0) } })
        for continuation in result {
            #expect(continuation.textEnds.count == 9 && continuation.textEnds.last == continuation.text.utf8.count)
        }
    }

    @Test("a continuation ends with the model's end token, and with the longest sequence")
    func ends() async throws {
        let inputs = try ComparisonInputs(text: "t", prompts: ["one", String(repeating: "x", count: 195)])
        var settings = ComparisonSettings()
        settings.continuationTokenCount = 20
        let end = expected("one", count: 6)[5]
        let result = try await continuations(inputs, settings, endTokenIDs: [end])
        let first = expected("one", count: 6)
        #expect(result[0].tokens == Array(first.prefix((first.firstIndex(of: end) ?? 0) + 1)))
        #expect(result[1].tokens.count <= 5)
    }

    @Test("a prompt without room for an answer is named, and so is a missing template")
    func refused() async throws {
        let long = try ComparisonInputs(text: "t", prompts: ["a", String(repeating: "x", count: 200)])
        await #expect(throws: ComparisonError.promptTooLong(number: 2, tokenCount: 200, limit: 200)) {
            _ = try await continuations(long, ComparisonSettings())
        }
        var settings = ComparisonSettings()
        settings.usesChatTemplate = true
        await #expect(throws: ComparisonError.noChatTemplate) {
            _ = try await continuations(try ComparisonInputs(text: "t"), settings)
        }
    }

    @Test("the chat template is around the prompt, where it is asked for")
    func chat() async throws {
        var settings = ComparisonSettings()
        settings.usesChatTemplate = true
        settings.continuationTokenCount = 2
        let template = try ChatTemplate("[{{ messages[0].content }}]{% if add_generation_prompt %}>{% endif %}")
        let result = try await continuations(
            try ComparisonInputs(text: "t", prompts: ["hi"]), settings, template: template)
        #expect(result[0].promptTokens == "[hi]>".utf8.map { Int32($0) })
    }

    @Test("every request of the load is served whole, at each number at once")
    func load() async throws {
        let engine = scriptedEngine()
        defer { engine.stop() }
        var settings = ComparisonSettings()
        settings.loadPromptTokenCount = 20
        settings.loadOutputTokenCount = 5
        settings.concurrencies = [1, 3, 12]
        let batches = try await LoadTest.run(settings, on: engine)
        #expect(batches.map(\.concurrency) == [1, 3, 12] && batches.map(\.requestCount) == [4, 6, 12])
        for batch in batches {
            #expect(batch.prefillTokensPerSecond > 0 && batch.decodeTokensPerSecond > 0)
            #expect(batch.secondsToFirstToken.median <= batch.secondsToFirstToken.p99)
        }
        settings.loadPromptTokenCount = 196
        await #expect(throws: ComparisonError.loadTooLong(tokenCount: 201, limit: 200)) {
            _ = try await LoadTest.run(settings, on: engine)
        }
        #expect(LoadTest.peakResidentByteCount() > 1 << 20)
    }
}
