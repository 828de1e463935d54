public import ChatTemplates
public import InferenceEngine
import Requests
public import Tokenization

/// Lets an engine continue prompts greedily, until an end token or the maximum length.
public struct ContinuationMeasurement: Sendable {
    private let engine: AsyncLLMEngine
    private let tokenizer: any Tokenizer
    private let template: ChatTemplate?
    private let specialTokens: [String: String]
    private let endTokenIDs: [Int32]

    /// A measurement of `engine`. `template` and `specialTokens` are the checkpoint's.
    public init(
        _ engine: AsyncLLMEngine, tokenizer: any Tokenizer, template: ChatTemplate?, specialTokens: [String: String],
        endTokenIDs: [Int32]
    ) {
        self.engine = engine
        self.tokenizer = tokenizer
        self.template = template
        self.specialTokens = specialTokens
        self.endTokenIDs = endTokenIDs
    }

    /// One continuation for each prompt, in order, several at a time. Throws `ComparisonError` and what the engine
    /// throws.
    public func run(_ inputs: ComparisonInputs, _ settings: ComparisonSettings) async throws -> [Continuation] {
        guard !settings.usesChatTemplate || template != nil else { throw ComparisonError.noChatTemplate }
        let prompts = try inputs.prompts.map { try encode($0, settings) }
        for (index, prompt) in prompts.enumerated() where prompt.count >= engine.limits.maxModelLength {
            throw ComparisonError.promptTooLong(
                number: index + 1, tokenCount: prompt.count, limit: engine.limits.maxModelLength)
        }
        let count = settings.continuationTokenCount
        return try await withThrowingTaskGroup(of: (Int, Continuation).self) { group in
            var results = [Continuation](repeating: Continuation(), count: prompts.count)
            var rest = prompts.indices[...]
            func addNext() {
                guard let index = rest.popFirst() else { return }
                group.addTask { (index, try await go(on: prompts[index], count)) }
            }
            for _ in 0..<min(16, engine.limits.maxWaitingCount) { addNext() }
            while let (index, continuation) = try await group.next() {
                results[index] = continuation
                addNext()
            }
            return results
        }
    }

    private func encode(_ prompt: String, _ settings: ComparisonSettings) throws -> [Int32] {
        guard settings.usesChatTemplate, let template else {
            // A prompt is a user's text: what spells a special token is text.
            return tokenizer.encode(prompt, addSpecialTokens: true, parseSpecialTokens: false)
        }
        let text = try template.render(
            messages: [template.message(role: "user", text: prompt)], addGenerationPrompt: true,
            specialTokens: specialTokens)
        return tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: true)
    }

    private func go(on prompt: [Int32], _ count: Int) async throws -> Continuation {
        var request = GenerationRequest(prompt: prompt)
        request.sampling.temperature = 0
        request.sampling.maxTokens = max(1, min(count, engine.limits.maxModelLength - prompt.count))
        request.sampling.endTokenIDs = endTokenIDs
        request.sampling.logprobs = 0
        request.skipsSpecialTokens = false
        var continuation = Continuation()
        continuation.promptTokens = prompt
        for try await event in try engine.submit(request) {
            switch event {
            case .output(let output):
                continuation.text += output.text
                continuation.tokens += output.tokens
                continuation.probabilities += output.logprobs.map { Exponential.of($0.chosen.logprob) }
                for _ in output.tokens { continuation.textEnds.append(continuation.text.utf8.count) }
            case .finished(_, .failure(let sentence)): throw EngineError.deviceFailed(sentence)
            case .finished(_, .rejected(let sentence)): throw EngineError.rejected(sentence)
            case .finished, .promptScored: break
            }
        }
        return continuation
    }
}
