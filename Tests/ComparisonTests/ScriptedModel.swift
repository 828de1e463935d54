import FoundationEssentials
import InferenceEngine
import KVCaching
import Requests
import Scheduling
import Tokenization

@testable import Comparison

/// A tokenizer whose tokens are the bytes below 128; every text begins with token 128, where it is asked to.
struct OpeningTokenizer: Tokenizer {
    var opens = false
    let vocabularySize = 129
    let specialTokens: [String: Int32] = ["<begin>": 128]

    func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [Int32] {
        (opens && addSpecialTokens ? [128] : []) + text.utf8.map { Int32($0 % 128) }
    }

    func bytes(of token: Int32) -> [UInt8]? { token < 128 ? [UInt8(token)] : [] }
    func isSpecial(_ token: Int32) -> Bool { token == 128 }
}

/// A model whose logits after each position are a function of the token there.
struct ScriptedModel {
    var vocabularySize = 129
    var logits: (_ token: Int32) -> [Float]

    func score(_ tokens: [Int32], _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void) throws {
        for (position, token) in tokens.enumerated() {
            var row = logits(token)
            try row.withUnsafeMutableBufferPointer { try body(position, $0) }
        }
    }

    /// All tokens alike.
    static var uniform: ScriptedModel { ScriptedModel { _ in [Float](repeating: 3, count: 129) } }

    /// Prefers the token after the one that stands there, by `strength`.
    static func successor(_ strength: Float) -> ScriptedModel {
        ScriptedModel { token in (0..<129).map { $0 == Int(token) + 1 ? strength : 0 } }
    }
}

/// A folder that goes when the value does.
struct TemporaryFolder: ~Copyable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appending(path: "comparison-\(UInt64.random(in: 0 ... .max))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func file(_ name: String, _ content: some Sequence<UInt8>) throws -> String {
        let file = path + "/" + name
        try Data(content).write(to: URL(filePath: file))
        return file
    }

    func file(_ name: String, _ content: String) throws -> String { try file(name, content.utf8) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// An engine without a model; its tokens are functions of their whole context.
func scriptedEngine(maxModelLength: Int = 200) -> AsyncLLMEngine {
    AsyncLLMEngine(
        LLMEngine(
            scheduler: Scheduler(
                limits: SchedulerLimits(
                    maxBatchedTokenCount: 64, maxSequenceCount: 8, maxModelLength: maxModelLength),
                cache: KVCacheManager(blockCount: 256, blockSize: 4), policy: FirstComeFirstServed()),
            executor: ScriptedExecutor(vocabularySize: 128, blockCount: 256, blockSize: 4),
            tokenizer: OpeningTokenizer()),
        limits: AsyncLLMEngine.Limits(maxModelLength: maxModelLength, vocabularySize: 128, maxWaitingCount: 100))
}

extension ComparisonInputs {
    /// Inputs of a test.
    init(text: String, prompts: [String] = ["p"]) throws {
        let folder = try TemporaryFolder()
        try self.init(
            textFile: try folder.file("text", text),
            promptsFile: try folder.file("prompts", prompts.joined(separator: "\n")))
    }
}
