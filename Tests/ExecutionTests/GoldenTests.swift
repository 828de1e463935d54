import BackendCPU
import Testing
import Weights

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Against Hugging Face transformers on the same checkpoints.
@Suite struct GoldenTests {
    @Test("logits and greedy tokens of small checkpoints", arguments: Golden.checkpoints, Device.all)
    func small(checkpoint: String, device: Device) throws {
        let machine = try Machine(
            path: Golden.path(checkpoint), on: device, maxTokenCount: 64, maxSequenceCount: 4)
        let prompts = try Golden.small(checkpoint).prompts
        #expect(prompts.count == 3)
        for prompt in prompts {
            let logits = try machine.logits(of: prompt.tokens)
            #expect(logits.count == prompt.logitsFrom + prompt.logits.count)
            #expect(largestDifference(logits.dropFirst(prompt.logitsFrom).joined(), prompt.logits.joined()) < 1e-3)
        }
        let greedy = try machine.greedy(prompts.map(\.tokens), count: 32, tokenBudget: 17)
        #expect(greedy == prompts.map(\.greedy))
    }

    @Test("SmolLM2: 64 greedy tokens of 20 prompts, and the largest logits")
    func smolLM2() throws {
        let path = try #require(
            getenv("QUIRE_TEST_MODEL").map { String(cString: $0) }, "QUIRE_TEST_MODEL is not set; run `make test`")
        let prompts = try Golden.real().prompts
        #expect(prompts.count == 20)
        let machine = try Machine(
            path: path, on: .cpu(.best, threads: 2), maxTokenCount: 1024, maxSequenceCount: 20)
        for prompt in prompts {
            let logits = try #require(try machine.logits(of: prompt.tokens).last)
            #expect(
                largestDifference(prompt.topIDs.map { logits[$0] }, prompt.topLogits) < 1e-3, "\(prompt.name)")
        }
        let greedy = try machine.greedy(prompts.map(\.tokens), count: 64, tokenBudget: 256)
        for (prompt, found) in zip(prompts, greedy) { #expect(found == prompt.greedy, "\(prompt.name)") }
    }

    @Test("SmolLM2 on Vulkan: 32 greedy tokens, and the largest logits", arguments: Device.vulkan.prefix(1))
    func smolLM2(device: Device) throws {
        let path = try #require(
            getenv("QUIRE_TEST_MODEL").map { String(cString: $0) }, "QUIRE_TEST_MODEL is not set; run `make test`")
        // A few short prompts: a driver that plays a GPU on the CPU is slow.
        let prompts = try Golden.real().prompts.sorted { $0.tokens.count < $1.tokens.count }.prefix(4)
        let machine = try Machine(path: path, on: device, maxTokenCount: 256, maxSequenceCount: 4)
        for prompt in prompts {
            let logits = try #require(try machine.logits(of: prompt.tokens).last)
            #expect(largestDifference(prompt.topIDs.map { logits[$0] }, prompt.topLogits) < 1e-3, "\(prompt.name)")
        }
        let greedy = try machine.greedy(prompts.map(\.tokens), count: 32, tokenBudget: 256)
        for (prompt, found) in zip(prompts, greedy) {
            #expect(found == Array(prompt.greedy.prefix(32)), "\(prompt.name)")
        }
    }

    private func largestDifference(_ left: some Sequence<Float>, _ right: some Sequence<Float>) -> Float {
        zip(left, right).reduce(0) { $1.0 == $1.0 ? max($0, abs($1.0 - $1.1)) : .infinity }
    }
}
