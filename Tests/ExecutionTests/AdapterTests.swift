import Adapters
import BackendCPU
import Backends
import Execution
import Requests
import Scheduling
import SharedValues
import Tensors
import Testing
import Weights

/// Adapters against transformers and peft, which merge them into the weights.
@Suite struct AdapterTests {
    /// An adapter of `Goldens/adapters` as PEFT's directory or as a GGUF file, over a family's checkpoint in either format.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        var isGGUF = false
        var isOverGGUF = false

        var testDescription: String { name + (isGGUF ? ", GGUF" : "") + (isOverGGUF ? ", over GGUF" : "") }

        var path: String { Golden.adapter(name) + (isGGUF ? "/adapter.gguf" : "") }

        var basePath: String {
            get throws { Golden.path(inFolder: try Golden.merged(name).base ?? "") + (isOverGGUF ? "/model.gguf" : "") }
        }
    }

    static let cases =
        Golden.adapters.map { Case(name: $0) }
        + ["llama-gguf", "gpt-neox"].flatMap { name in
            [
                Case(name: name, isGGUF: true), Case(name: name, isOverGGUF: true),
                Case(name: name, isGGUF: true, isOverGGUF: true),
            ]
        } + ["phi3", "gemma3", "gpt2"].map { Case(name: $0, isOverGGUF: true) }

    @Test("logits and greedy tokens of merged weights", arguments: cases)
    func merged(adapter: Case) throws {
        let golden = try Golden.merged(adapter.name)
        #expect(golden.prompts.count == 2)
        for device in [Device.reference, .cpu(.best, threads: 2)] + Device.vulkan {
            let machine = try Machine(
                path: try adapter.basePath, on: device, maxTokenCount: 32, maxSequenceCount: 4, adapterSlotCount: 2)
            let weights = try machine.adapter(adapter.path)
            for prompt in golden.prompts {
                let logits = try machine.logits(of: prompt.tokens, adapter: weights)
                let pairs = zip(logits.dropFirst(prompt.logitsFrom).joined(), prompt.logits.joined())
                let difference = pairs.reduce(Float(0)) { $1.0 == $1.0 ? max($0, abs($1.0 - $1.1)) : .infinity }
                #expect(difference < 1e-3, "\(device), \(prompt.tokens.count) tokens")
            }
            let store = AdapterStore()
            store.insert(weights, of: AdapterID(1))
            let layout = machine.layout(blockSize: 16)
            var world = EngineWorld(
                runner: try machine.runner(layout, blockCount: 16 * layout.groups.count, adapters: store),
                blockCount: 16 * layout.groups.count, groups: layout.groups,
                limits: SchedulerLimits(
                    maxBatchedTokenCount: 17, maxSequenceCount: 2, maxModelLength: 64, adapterSlotCount: 2))
            var sampling = SamplingParameters()
            sampling.temperature = 0
            sampling.maxTokens = 16
            let ids = golden.prompts.map { world.add($0.tokens, sampling, adapter: AdapterID(1)) }
            while !world.isIdle { try world.step() }
            #expect(ids.map { world.tokens[$0] } == golden.prompts.map(\.greedy), "\(device)")
        }
    }

    @Test(
        "a request's bits do not depend on neighbours with other adapters or none, which take turns in the slots",
        arguments: [Device.reference, .cpu(.best, threads: 2), .cpu(.portable, threads: 1)] + Device.vulkan,
        [WeightType.f32, .bf16])
    func neighbours(device: Device, type: WeightType) throws {
        let slotCount = 2
        let machine = try Machine(
            path: Golden.family("families/llama").path, type: type, on: device, maxTokenCount: 32, maxSequenceCount: 6,
            adapterSlotCount: slotCount)
        let store = AdapterStore()
        for (index, name) in ["llama", "llama-layers", "llama-gguf"].enumerated() {
            store.insert(try machine.adapter(Golden.adapter(name)), of: AdapterID(UInt64(index)))
        }
        var random = SplitMix64(seed: 5)
        let layout = machine.layout(blockSize: 4)
        let common = (0..<12).map { _ in Int32.random(in: 3..<96, using: &random) }
        let loads = (0..<20).map { index in
            let own = (0..<Int.random(in: 1...9, using: &random)).map { _ in Int32.random(in: 3..<96, using: &random) }
            var sampling = SamplingParameters()
            sampling.temperature = index % 3 == 0 ? 1 : 0
            sampling.maxTokens = Int.random(in: 2...9, using: &random)
            sampling.logprobs = 2
            let adapter = ([nil, 0, 1, 2] as [UInt64?])[index % 4].map { AdapterID($0) }
            return (prompt: common.prefix(Int.random(in: 0...12, using: &random)) + own, sampling, adapter)
        }
        func run(_ loads: ArraySlice<(prompt: ArraySlice<Int32>, SamplingParameters, AdapterID?)>, blockCount: Int)
            throws
            -> ([[TokenLogprobs]], SchedulerStatistics)
        {
            var world = EngineWorld(
                runner: try machine.runner(layout, blockCount: blockCount, adapters: store), blockCount: blockCount,
                groups: layout.groups,
                limits: SchedulerLimits(
                    maxBatchedTokenCount: 24, maxSequenceCount: 6, maxModelLength: 48, adapterSlotCount: slotCount,
                    maxAdapterWaitCount: 4))
            let ids = try loads.map { prompt, sampling, adapter in
                let id = world.add(Array(prompt), sampling, adapter: adapter)
                try world.step()
                return id
            }
            while !world.isIdle { try world.step() }
            return (ids.map { world.logprobs[$0] ?? [] }, world.statistics)
        }
        let alone = try loads.indices.flatMap { try run(loads[$0...$0], blockCount: 12).0 }
        for blockCount in [14, 64] {
            let (together, statistics) = try run(loads[...], blockCount: blockCount)
            #expect(together == alone)
            #expect(statistics.adapterLoadCount > 3 && statistics.prefixHitCount > 0)
            #expect(statistics.preemptionCount > 0 || blockCount == 64)
        }
        // Adapters that change nothing would prove little.
        let unadapted = loads.map { (prompt: $0.prompt, $0.1, AdapterID?.none) }
        let plain = try run(unadapted[...], blockCount: 64).0
        let changed = loads.indices.count { plain[$0].map(\.chosen.token) != alone[$0].map(\.chosen.token) }
        #expect(changed > 8, "\(changed) of \(loads.count)")
    }

    @Test("an adapter replaces all of the one that was in its slot")
    func replaced() throws {
        let machine = try Machine(
            path: Golden.family("families/llama").path, on: .cpu(.best, threads: 1), maxTokenCount: 32,
            maxSequenceCount: 2, adapterSlotCount: 1)
        let first = try machine.adapter(Golden.adapter("llama"))
        let second = try machine.adapter(Golden.adapter("llama-layers"))
        let prompt: [Int32] = [5, 9, 30]
        let (one, other) = (
            try machine.logits(of: prompt, adapter: first), try machine.logits(of: prompt, adapter: second)
        )
        // The second adapter has no matrices in two layers: those of the first one must not stay.
        let plain = try machine.logits(of: prompt)
        #expect(one != other && other != plain)
        #expect(try machine.logits(of: prompt, adapter: first) == one)
        #expect(try machine.logits(of: prompt, adapter: second) == other)
    }
}
