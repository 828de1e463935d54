import ArgumentParser
import Assembly
import ChatTemplates
import EngineConfig
import InferenceEngine
import Logging
import OpenAIServer
import Requests
import Tokenization

/// `quire generate CONFIG --prompt TEXT`: one answer, streamed to the terminal.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Answers one prompt, streaming to standard output.")
    @OptionGroup var options: ConfigurationOptions
    @Option(name: .shortAndLong, help: "The message to answer, or with --raw the text to continue.")
    var prompt: String
    @Flag(help: "Continue the text without the model's chat template.")
    var raw = false
    @Option(help: "Maximum number of output tokens.")
    var maxTokens = 256
    @Option(help: "Sampling temperature; 0 is greedy.")
    var temperature: Float = 0
    @Option(help: "Seed of random sampling.")
    var seed: UInt64?
    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    func validate() throws {
        guard maxTokens > 0 else { throw ValidationError("--max-tokens: expected 1 or more, found \(maxTokens)") }
        guard temperature >= 0, temperature <= 100 else {
            throw ValidationError("--temperature: expected 0 to 100, found \(temperature)")
        }
    }

    func run() async throws {
        var configuration = try options.load()
        // One request at a time needs no more than its own length.
        configuration.scheduler.maxNumSeqs = 1
        try await exitingWithStatus { [configuration] in
            let bar = ProgressBar()
            var logging = configuration.logging
            if logging.level == .info { logging.level = .warning }
            let logger = Logger(logging)
            let model = try ServedModel(
                configuration, catalog: try PluginCatalog.commandLine(configuration, logger),
                metrics: PrometheusMetrics(),
                logger: logger, usesAdapter: true
            ) { bar.show("loading \(configuration.model.name)", $0) }
            defer { model.engine.stop() }
            try await answer(with: model)
        }
    }

    private func answer(with model: ServedModel) async throws {
        let tokens = try encodedPrompt(model)
        var request = GenerationRequest(prompt: tokens)
        request.sampling.maxTokens = max(1, min(maxTokens, model.engine.limits.maxModelLength - tokens.count))
        request.sampling.temperature = temperature
        request.sampling.seed = seed ?? UInt64.random(in: 0 ... .max)
        request.sampling.endTokenIDs = model.endTokenIDs
        let start = ContinuousClock.now
        var (firstToken, text, outputCount): (ContinuousClock.Instant?, String, Int) = (nil, "", 0)
        var reason = FinishReason.abort
        for try await event in try model.engine.submit(request) {
            switch event {
            case .output(let output):
                firstToken = firstToken ?? .now
                outputCount += output.tokens.count
                text += output.text
                if !json { Console.write(output.text) }
            case .finished(_, let finish): reason = finish
            case .promptScored: break
            }
        }
        if case .failure(let sentence) = reason { throw EngineError.deviceFailed(sentence) }
        if case .rejected(let sentence) = reason { throw EngineError.rejected(sentence) }
        let prefill = start.duration(to: firstToken ?? .now) / .seconds(1)
        let decode = (firstToken ?? .now).duration(to: .now) / .seconds(1)
        if json {
            Console.write(
                try GenerationReport(
                    text: text, promptCount: tokens.count, outputCount: outputCount, reason: reason,
                    secondsToFirstToken: prefill, secondsAfter: decode
                ).json + "\n")
        } else {
            Console.write("\n")
            let rate = outputCount > 1 ? Double(outputCount - 1) / decode : 0
            Console.error(
                "\(tokens.count) prompt tokens, first token after \(milliseconds(prefill)) ms; "
                    + "\(outputCount) tokens at \(Int(rate)) a second; on \(model.memory.deviceName)")
        }
    }

    private func encodedPrompt(_ model: ServedModel) throws -> [Int32] {
        guard !raw, let template = model.chatTemplates?.default else {
            return model.tokenizer.encode(prompt, addSpecialTokens: true, parseSpecialTokens: true)
        }
        let text = try template.render(
            messages: [template.message(role: "user", text: prompt)], addGenerationPrompt: true,
            specialTokens: model.specialTokens)
        return model.tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: true)
    }

    private func milliseconds(_ seconds: Double) -> Int { Int((seconds * 1000).rounded()) }
}
