import BackendCPU
import Backends
import CLibrary
import Tensors
import Testing
import Weights

/// Against Hugging Face transformers on the same checkpoints.
@Suite struct GoldenTests {
    /// Every checkpoint on the reference, on the CPU with every instruction set, on one Vulkan device, and on one of the other
    /// devices, whose kernels `BackendConformance` compares as well.
    static let smallChoices: [(String, Device)] = {
        let others = Device.vulkan.dropLast() + Device.cards.suffix(1) + Device.integerCards.suffix(1)
        let everywhere = Device.all.filter { !others.contains($0) }
        return (Golden.checkpoints + Golden.quantized).enumerated().flatMap { index, checkpoint in
            (everywhere + (others.isEmpty ? [] : [others[index % others.count]])).map { (checkpoint, $0) }
        }
    }()

    @Test("logits and greedy tokens of small checkpoints", arguments: smallChoices)
    func small(checkpoint: String, device: Device) throws {
        try checkSmall(checkpoint, on: device)
    }

    /// Vulkan devices compile a kernel for each type, which takes software drivers long; conformance tests try all types there.
    @Test("weights of one byte, and a GGUF file with tensors of twenty types", arguments: Golden.otherTypes)
    func otherTypes(checkpoint: String) throws {
        let vulkan = checkpoint.hasSuffix("mixed") ? [] : Device.vulkan.prefix(1)
        for device in [Device.reference, .cpu(.best, threads: 2)] + vulkan { try checkSmall(checkpoint, on: device) }
    }

    private func checkSmall(_ checkpoint: String, on device: Device) throws {
        let machine = try Machine(
            path: Golden.path(checkpoint), on: device, maxTokenCount: 64, maxSequenceCount: 4)
        let prompts = try Golden.small(checkpoint).prompts
        #expect(prompts.count == 3)
        for prompt in prompts {
            let logits = try machine.logits(of: prompt.tokens)
            #expect(logits.count == prompt.logitsFrom + prompt.logits.count)
            let difference = largestDifference(logits.dropFirst(prompt.logitsFrom).joined(), prompt.logits.joined())
            #expect(difference < 1e-3, "\(device), \(prompt.tokens.count) tokens")
        }
        let greedy = try machine.greedy(prompts.map(\.tokens), count: 32, tokenBudget: 17)
        #expect(greedy == prompts.map(\.greedy), "\(device)")
    }

    @Test("logits and greedy tokens of every family", arguments: Golden.families)
    func family(name: String) throws {
        let (path, golden) = try Golden.family(name)
        #expect(golden.prompts.count == 3)
        for device in [Device.reference, .cpu(.best, threads: 2)] + Device.vulkan {
            let machine = try Machine(path: path, on: device, maxTokenCount: 64, maxSequenceCount: 4)
            for prompt in golden.prompts {
                let logits = try machine.logits(of: prompt.tokens)
                #expect(logits.count == prompt.logitsFrom + prompt.logits.count)
                let difference = largestDifference(
                    logits.dropFirst(prompt.logitsFrom).joined(), prompt.logits.joined())
                #expect(difference < 1e-3, "\(device), \(prompt.tokens.count) tokens")
            }
            let greedy = try machine.greedy(golden.prompts.map(\.tokens), count: 24, tokenBudget: 17)
            #expect(greedy == golden.prompts.map(\.greedy), "\(device)")
        }
    }

    /// The real model that `make test` fetches, and directories of it as other tools quantized it, where a developer has
    /// made some: QUIRE_TEST_QUANTIZED, with colons between them.
    static let real: [RealModel] =
        [.fetched]
        + (getenv("QUIRE_TEST_QUANTIZED").map { String(cString: $0) } ?? "").split(separator: ":")
        .map { .quantized(directory: String($0)) }

    @Test("SmolLM2, quantized: 64 greedy tokens of 20 prompts, and the largest logits", arguments: real)
    func smolLM2(model: RealModel) throws {
        let golden = try model.golden
        #expect(golden.prompts.count == 20)
        let machine = try Machine(
            path: try model.path, on: .cpu(.best, threads: 2), maxTokenCount: 1024, maxSequenceCount: 20)
        #expect(
            machine.plan.matrices.contains {
                if case .quantized(_) = $0.weights { true } else { false }
            })
        for prompt in golden.prompts { try checkLogits(machine, prompt) }
        let greedy = try machine.greedy(golden.prompts.map(\.tokens), count: 64, tokenBudget: 256)
        for (prompt, found) in zip(golden.prompts, greedy) { #expect(found == prompt.greedy, "\(prompt.name)") }
    }

    @Test(
        "dequantized weights give what quantized ones give", arguments: ["quantized-gptq-4bit-actorder", "llama-gguf"])
    func dense(checkpoint: String) throws {
        let prompts = try Golden.small(checkpoint).prompts
        let machine = try Machine(
            path: Golden.path(checkpoint), isDense: true, on: .cpu(.best, threads: 1), maxTokenCount: 64,
            maxSequenceCount: 4)
        for case .quantized(_) in machine.plan.matrices.map(\.weights) { Issue.record("a matrix is still quantized") }
        #expect(try machine.greedy(prompts.map(\.tokens), count: 32) == prompts.map(\.greedy))
    }

    /// SmolLM2 on the reference and on every Vulkan device, and what other tools made of it on one.
    static let slow: [(model: RealModel, device: Device)] =
        ([.reference] + Device.vulkan).map { (.fetched, $0) }
        + real.dropFirst().flatMap { model in Device.vulkan.suffix(1).map { (model, $0) } }

    @Test(
        "SmolLM2 on slow devices: 32 greedy tokens of 4 prompts; where two are as good as equal, either is right",
        arguments: slow)
    func smolLM2OnSlowDevices(model: RealModel, device: Device) throws {
        let prompts = try model.golden.prompts.sorted { $0.tokens.count < $1.tokens.count }.prefix(4)
        let machine = try Machine(path: try model.path, on: device, maxTokenCount: 128, maxSequenceCount: 4)
        if case .vulkan = device {
            let taken = Double(machine.weightByteCount)
            #expect(taken <= 1.03 * Double(machine.weightArithmetic), "\(taken) for \(machine.weightArithmetic)")
        }
        for prompt in prompts { try checkLogits(machine, prompt) }
        let greedy = try machine.greedyWithMargins(prompts.map(\.tokens), count: 32, tokenBudget: 128)
        var nearTies = 0
        for (prompt, found) in zip(prompts, greedy) {
            #expect(found.count == 32)
            nearTies += found.count { $0.margin < 1e-3 }
            for (expected, (token, margin)) in zip(prompt.greedy, found) where token != expected {
                #expect(margin < 1e-3, "\(prompt.name): \(token) for \(expected)")
                // What follows another token is another text.
                break
            }
        }
        // The texts would prove little if most of their tokens could be others.
        #expect(nearTies <= 4, "\(nearTies) near ties")
    }

    private func checkLogits(_ machine: Machine, _ prompt: Golden.Real.Prompt) throws {
        let logits = try #require(try machine.logits(of: prompt.tokens).last)
        #expect(largestDifference(prompt.topIDs.map { logits[$0] }, prompt.topLogits) < 1e-3, "\(prompt.name)")
    }

    private func largestDifference(_ left: some Sequence<Float>, _ right: some Sequence<Float>) -> Float {
        zip(left, right).reduce(0) { $1.0 == $1.0 ? max($0, abs($1.0 - $1.1)) : .infinity }
    }
}
