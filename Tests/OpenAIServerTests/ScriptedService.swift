import ChatTemplates
import InferenceEngine
import OpenAIServer
import Requests
import Synchronization
import Tokenization

/// A completion service without a model. It responds to all requests with the scripted tokens and records the requests.
final class ScriptedService: CompletionService {
    struct State {
        var requests: [GenerationRequest] = []
        var aborted = 0
        var error: EngineError?
        /// Streams that are held open until `release`.
        var held: [@Sendable (Bool) -> Void] = []
    }

    /// The course of a request.
    enum Script: Sendable {
        /// All output at once, followed by the end.
        case answer([Int32], FinishReason)
        /// The tokens, then no event until `release`.
        case hold([Int32])
        /// The tokens, then an error of the stream.
        case fail([Int32], EngineError)
    }

    let modelName = "scripted"
    let maxModelLength: Int
    let created = 1_700_000_000
    let tokenizer: any Tokenizer = ByteTokenizer()
    let chatTemplates: ChatTemplateSet?
    let specialTokens = ["eos_token": "<|im_end|>", "pad_token": "[PAD]"]
    let endTokenIDs: [Int32] = [ByteTokenizer.end]
    let script: Script
    private let state = Mutex(State())

    convenience init(
        _ script: Script, maxModelLength: Int = 64, chatTemplate: ChatTemplate? = nil, error: EngineError? = nil
    ) {
        self.init(
            script, maxModelLength: maxModelLength, chatTemplates: chatTemplate.map { ChatTemplateSet($0) },
            error: error)
    }

    init(_ script: Script, maxModelLength: Int = 64, chatTemplates: ChatTemplateSet?, error: EngineError? = nil) {
        self.script = script
        self.maxModelLength = maxModelLength
        self.chatTemplates = chatTemplates
        state.withLock { $0.error = error }
    }

    convenience init(_ text: String, maxModelLength: Int = 64, chatTemplate: ChatTemplate? = nil) {
        let tokens = text.utf8.map(Int32.init)
        self.init(.answer(tokens, .length), maxModelLength: maxModelLength, chatTemplate: chatTemplate)
    }

    /// The adapters by name, and the paths that cannot be loaded; nil: clients may load none.
    let scriptedAdapters = Mutex<[String: AdapterID]>([:])
    let allowsLoading = Mutex(false)

    var adapters: [ServedAdapter] {
        scriptedAdapters.withLock { $0.keys.sorted().map { ServedAdapter(name: $0, created: 1_700_000_001) } }
    }
    func adapter(named name: String) -> AdapterID? { scriptedAdapters.withLock { $0[name] } }
    var adapterLoading: (any AdapterLoading)? { allowsLoading.withLock { $0 } ? self : nil }

    var requests: [GenerationRequest] { state.withLock(\.requests) }
    var abortedCount: Int { state.withLock(\.aborted) }

    /// Lets held requests finish.
    func release() { endHeld(true) }

    /// Ends the streams of held requests without a finish event, like an engine with a bug.
    func endEarly() { endHeld(false) }

    private func endHeld(_ properly: Bool) {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for finish in held { finish(properly) }
    }

    func submit(_ request: GenerationRequest) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error> {
        if let error = state.withLock(\.error) { throw error }
        state.withLock { $0.requests.append(request) }
        let (stream, continuation) = AsyncThrowingStream<GenerationEvent, any Error>.makeStream()
        continuation.onTermination = { [self] reason in
            if case .cancelled = reason { state.withLock { $0.aborted += 1 } }
        }
        if let count = request.sampling.promptLogprobs {
            let scores = request.prompt.dropFirst().map { Self.logprobs($0, count: count) }
            continuation.yield(.promptScored(scores))
        }
        let finish: @Sendable (FinishReason) -> Void = { reason in
            for choice in 0..<request.choiceCount { continuation.yield(.finished(choice: choice, reason: reason)) }
            continuation.finish()
        }
        let wanted = request.sampling.maxTokens
        switch script {
        case .answer(let tokens, let reason):
            output(Array(tokens.prefix(wanted)), request, continuation)
            finish(reason)
        case .hold(let tokens):
            output(tokens, request, continuation)
            state.withLock { $0.held.append { properly in properly ? finish(.length) : continuation.finish() } }
        case .fail(let tokens, let error):
            output(tokens, request, continuation)
            continuation.finish(throwing: error)
        }
        return stream
    }

    private func output(
        _ tokens: [Int32], _ request: GenerationRequest,
        _ continuation: AsyncThrowingStream<GenerationEvent, any Error>.Continuation
    ) {
        for token in tokens {
            for choice in 0..<request.choiceCount {
                let logprobs = request.sampling.logprobs.map { [Self.logprobs(token, count: $0)] } ?? []
                let text = tokenizer.decode([token], skipSpecialTokens: request.skipsSpecialTokens)
                continuation.yield(
                    .output(GenerationOutput(choice: choice, text: text, tokens: [token], logprobs: logprobs)))
            }
        }
    }

    /// The token with probability e^-1 and its neighbours with lower ones.
    static func logprobs(_ token: Int32, count: Int) -> TokenLogprobs {
        let all = (0..<Int32(count)).map { index in
            TokenLogprob(token: (token + index) % 256, logprob: -1 - Float(index), rank: Int(index) + 1)
        }
        return TokenLogprobs(chosen: TokenLogprob(token: token, logprob: -1, rank: 1), top: all)
    }
}

extension ScriptedService: AdapterLoading {
    func load(_ name: String, path: String) async throws {
        if path.hasPrefix("/missing") {
            throw AdapterRefusal.notFound("No adapter found for \(path): nothing is there")
        }
        if path.hasPrefix("/bad") { throw AdapterRefusal.unusable("\(path): tensor x has rank 64") }
        try scriptedAdapters.withLock { adapters in
            guard name != modelName, adapters[name] == nil else { throw AdapterRefusal.nameTaken }
            adapters[name] = AdapterID(UInt64(adapters.count) + 1)
        }
    }

    func unload(_ name: String) async throws {
        guard scriptedAdapters.withLock({ $0.removeValue(forKey: name) }) != nil else {
            throw AdapterRefusal.unknownName
        }
    }
}

/// A tokenizer with one token for each byte, and ChatML's control tokens from 256 on.
struct ByteTokenizer: Tokenizer {
    static let start: Int32 = 256
    static let end: Int32 = 257
    let vocabularySize = 258
    let specialTokens: [String: Int32] = ["<|im_start|>": start, "<|im_end|>": end]

    func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [Int32] {
        var tokens: [Int32] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            if parseSpecialTokens, let special = specialTokens.first(where: { rest.hasPrefix($0.key) }) {
                tokens.append(special.value)
                rest = rest.dropFirst(special.key.count)
            } else {
                tokens += String(rest.removeFirst()).utf8.map(Int32.init)
            }
        }
        return tokens
    }

    func bytes(of token: Int32) -> [UInt8]? {
        if let byte = UInt8(exactly: token) { return [byte] }
        return specialTokens.first { $0.value == token }.map { Array($0.key.utf8) }
    }

    func isSpecial(_ token: Int32) -> Bool { token >= 256 }
}
