import BackendCPU
import BackendVulkan
import Scheduling
import SharedValues
import Testing
import Weights

@testable import EngineConfig

@Suite struct RoundTripTests {
    /// Texts that tempt a YAML writer into mistakes.
    private static let texts = [
        "m", "a b", "a: b", "#x", "-", "--", "---", "...", "~x", "null", "NULL", "true", "1e3", "é 漢字 👩‍👩‍👧", "\"", "\\",
        "it's", "a\u{2028}b", "a\u{FEFF}b", "*a", "&a", "!t", "%x", "@x", "`x", "{a", "[b", "a,b", " x ", "=", "<<",
        "a\\nb", "\u{E000}", "x\u{301}",
    ]

    /// A configuration with a random value, the default or nothing for each key.
    private static func random(_ generator: inout SplitMix64) -> EngineConfiguration {
        var value = EngineConfiguration()
        func maybe<T>(_ make: (inout SplitMix64) -> T) -> T? {
            Bool.random(using: &generator) ? make(&generator) : nil
        }
        func text(_ generator: inout SplitMix64) -> String { texts.randomElement(using: &generator) ?? "m" }
        value.model.path = "/" + text(&generator)
        value.model.name = text(&generator)
        value.model.dtype = WeightType.allCases.randomElement(using: &generator) ?? .auto
        value.model.maxModelLen = maybe { Int.random(in: 1...100_000, using: &$0) }
        value.model.tokenizer = maybe { "/" + text(&$0) }
        value.model.chatTemplate = maybe { "/" + text(&$0) }
        value.backend.threads = Int.random(in: 0...1024, using: &generator)
        value.backend.isa = InstructionSet.allCases.randomElement(using: &generator)
        value.backend.device = text(&generator)
        value.backend.batchInvariant = Bool.random(using: &generator)
        value.backend.disabledKernels = Array(
            ["norm_subgroup", "a-b.c"].prefix(Int.random(in: 0...2, using: &generator)))
        value.backend.disabledFeatures = Array(
            [.float16, .unifiedMemory].prefix(Int.random(in: 0...2, using: &generator)))
        value.backend.maxRange = maybe { 1 << Int.random(in: 20...50, using: &$0) }
        value.backend.sharedMemory = maybe { 1 << Int.random(in: 14...30, using: &$0) }
        value.cache.blockSize = 1 << Int.random(in: 0...8, using: &generator)
        value.cache.memoryUtilization = maybe { Double.random(in: 0.01...1, using: &$0) }
        if Bool.random(using: &generator) {
            value.cache.memory = maybe {
                1024 << Int.random(in: 0...40, using: &$0) | Int.random(in: 0...1, using: &$0)
            }.map { min($0, 1 << 50) }
        } else {
            value.cache.numBlocks = maybe { Int.random(in: 1...1_000_000, using: &$0) }
        }
        value.cache.enablePrefixCaching = Bool.random(using: &generator)
        value.scheduler.maxNumSeqs = Int.random(in: 1...64, using: &generator)
        value.scheduler.maxNumBatchedTokens = Int.random(in: 64...10_000, using: &generator)
        value.scheduler.victim = VictimRule.allCases.randomElement(using: &generator)
        value.scheduler.promptShare = Double.random(in: 0.001...1, using: &generator)
        value.policyOptions.ageingSeconds = Double.random(in: 0.001...1e9, using: &generator)
        value.policyOptions.weights = Dictionary(
            (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                (text(&generator), Double.random(in: 0.001...1000, using: &generator))
            }, uniquingKeysWith: { first, _ in first })
        value.policyOptions.target =
            PolicyOptionsSection.DeadlineTarget.allCases.randomElement(using: &generator) ?? .finish
        value.policyOptions.levels = Int.random(in: 1...16, using: &generator)
        value.lora.adapters = Dictionary(
            (0..<Int.random(in: 0...2, using: &generator)).map { _ in (text(&generator), "/" + text(&generator)) },
            uniquingKeysWith: { first, _ in first })
        value.lora.maxLoraRank = Int.random(in: 1...1024, using: &generator)
        value.lora.use = maybe { text(&$0) }
        value.plugins.paths = (0..<Int.random(in: 0...2, using: &generator)).map { _ in "/" + text(&generator) }
        value.scheduler.pluginOptions = Dictionary(
            (0..<Int.random(in: 0...3, using: &generator)).map { _ in (text(&generator), text(&generator)) },
            uniquingKeysWith: { first, _ in first })
        value.simulation.contextTokenUs = Double.random(in: 0...1e9, using: &generator)
        value.server.host = text(&generator)
        value.server.drainSeconds = Double.random(in: 0...86_400, using: &generator)
        value.server.maxBody = Int.random(in: 1024...(1 << 30), using: &generator) & ~1023
        value.server.apiKey = maybe { _ in Secret("s3cr\"et#\\:") }
        value.logging.level = LoggingSection.Level.allCases.randomElement(using: &generator) ?? .info
        value.logging.format = LoggingSection.Format.allCases.randomElement(using: &generator) ?? .text
        return value
    }

    @Test("What show prints reads back as an equal configuration")
    func showReadsBack() throws {
        var generator = SplitMix64(seed: 7)
        for _ in 0..<500 {
            let value = Self.random(&generator)
            let shown = value.show(revealingSecrets: true)
            #expect(try EngineConfiguration.parse(shown, file: "shown.yaml") == value, "\(shown)")
        }
    }

    @Test("Every key takes something other than its default, changes nothing else, and is shown as it was given")
    func everyKey() throws {
        let values = [
            "1", "2", "200", "0.5", "2MiB", "64KiB", "true", "false", "m", "[m]", "{m: 2}", "fp16", "avx2", "f16",
            "int8", "swap", "least_computed", "first_token", "finish", "debug", "json", "[\"*\"]",
        ]
        let plain = try EngineConfiguration.parse(minimal, file: "c.yaml")
        let keys = EngineConfiguration.sections.flatMap { section in
            section.keys.map { (path: section.path(of: $0.name), render: $0.render) }
        }
        for path in keys.map(\.path) where path != "model.path" {
            let taken = values.compactMap {
                try? EngineConfiguration.parse(minimal, file: "c.yaml", overrides: ["\(path)=\($0)"])
            }
            let changed = try #require(taken.first { $0 != plain }, "\(path) takes nothing")
            for value in taken {
                let text = value.show(revealingSecrets: true)
                #expect(try EngineConfiguration.parse(text, file: "shown.yaml") == value, "\(text)")
            }
            let differing = keys.filter { $0.render(changed) != $0.render(plain) }
            #expect(differing.map(\.path) == [path])
        }
    }

    @Test("show says where each value came from, and does not say secrets")
    func show() throws {
        let text = "model:\n  path: m\nserver:\n  api_key: sesame\n"
        let shown = try EngineConfiguration.parse(text, file: "c.yaml", overrides: ["cache.block_size=32"]).show()
        #expect(shown.contains("  path: m  # line 2\n"))
        #expect(shown.contains("  block_size: 32  # --set\n"))
        #expect(shown.contains("  port: 8000  # default\n"))
        #expect(shown.contains("  # api_key: not shown  # line 4\n"))
        #expect(shown.contains("  # num_blocks: not set; what fits into memory\n"))
        #expect(!shown.contains("sesame"))
    }
}
