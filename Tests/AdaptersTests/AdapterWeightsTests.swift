import Backends
import Tensors
import Testing
import Weights

@testable import Adapters

@Suite("Matrices of adapters")
struct AdapterWeightsTests {
    private let directory: TemporaryDirectory
    private let limits = AdapterLimits(slotCount: 1, rank: 4, elementType: .f32)

    init() throws { directory = try TemporaryDirectory() }

    private func load(_ path: String, _ served: ServedModules) throws -> [MatrixSetID: HostTensor] {
        try AdapterWeights(AdapterFile(path: path), for: served.modules, limits: limits).matrices
    }

    private func served(_ names: String...) -> ServedModules {
        var served = ServedModules()
        for name in names { served.add(name) }
        return served
    }

    @Test("are padded to the server's rank, and the second one has the scale alpha / r")
    func padding() throws {
        let served = served("model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.k_proj")
        let path = try directory.peft("\"r\": 2, \"lora_alpha\": 6", pair("model.layers.0.self_attn.q_proj"))
        let matrices = try load(path, served)
        #expect(matrices.count == 2)
        let down = try #require(matrices[served.modules[0].down])
        #expect(down.shape == [4, 3])
        #expect(down.floats() == [0, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0])
        let up = try #require(matrices[served.modules[0].up])
        #expect(up.shape == [4, 4])
        #expect(up.floats() == [0, 3, 0, 0, 6, 9, 0, 0, 12, 15, 0, 0, 18, 21, 0, 0])
    }

    @Test(
        "have the scale of their module",
        arguments: [
            ("\"r\": 4, \"lora_alpha\": 8, \"use_rslora\": true", 4, 4.0),
            ("\"r\": 4", 4, 2.0),
            ("\"lora_alpha\": 8", 8, 1.0),
            ("\"r\": 8, \"lora_alpha\": 8, \"rank_pattern\": {\"k_proj\": 1, \"q_proj\": 2}", 2, 4.0),
            ("\"r\": 2, \"lora_alpha\": 8, \"alpha_pattern\": {\"layers.1.*\": 3, \".*[qk]_proj\": 1}", 2, 0.5),
            ("\"r\": 8, \"lora_alpha\": 8, \"rank_pattern\": {\"layers\\\\.[1-9]\\\\.self_attn.q_proj\": 1}", 8, 1.0),
            ("\"r\": 8, \"lora_alpha\": 8, \"rank_pattern\": {\"^model.layers.0.self_attn.q_proj\": 1}", 1, 8.0),
        ])
    func scales(config: String, rank: Int, scale: Double) throws {
        let module = "model.layers.0.self_attn.q_proj"
        let path = try directory.peft(config, pair(module, rank: rank))
        let adapter = try AdapterFile(path: path)
        #expect(adapter.products.map(\.rank) == [rank])
        #expect(adapter.products.map(\.scale) == [scale])
    }

    @Test("are found under any of a text model's prefixes, with and without the adapter's name")
    func prefixes() throws {
        let served = served("model.layers.0.mlp.up_proj")
        for prefix in ["", "base_model.model.", "base_model.model.model.", "base_model.model.model.language_model."] {
            for name in ["", ".default"] {
                let module = prefix + "layers.0.mlp.up_proj"
                let path = try directory.peft([
                    WrittenTensor("\(module).lora_A\(name).weight", [2, 3]),
                    WrittenTensor("\(module).lora_B\(name).weight", [4, 2]),
                ])
                #expect(try load(path, served).count == 2)
            }
        }
    }

    @Test("of a fused module are those of its parts")
    func fused() throws {
        var served = ServedModules()
        let name = "transformer.h.1.attn.c_attn"
        served.add(name, rows: [0..<1, 3..<4], outputSize: 2)
        served.add(name, rows: [1..<3, 4..<5], outputSize: 3)
        let path = try directory.peft("\"r\": 1, \"lora_alpha\": 1", pair(name, rank: 1, outputSize: 5))
        let matrices = try load(path, served)
        #expect(matrices[served.modules[0].down]?.floats().prefix(3) == [0, 1, 2])
        #expect(matrices[served.modules[1].down]?.floats().prefix(3) == [0, 1, 2])
        #expect(matrices[served.modules[0].up]?.floats() == [0, 0, 0, 0, 3, 0, 0, 0])
        #expect(matrices[served.modules[1].up]?.floats() == [1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0])
    }

    @Test("of a GGUF file have its rows in the order of the served matrix")
    func gguf() throws {
        var served = ServedModules()
        served.add("model.layers.0.self_attn.q_proj", gguf: "blk.0.attn_q", rowOrder: [0, 2, 1, 3])
        let bytes = AdaptersTests.gguf(
            texts: [("general.type", "adapter"), ("adapter.type", "lora")], numbers: [("adapter.lora.alpha", 2)],
            [
                WrittenTensor("blk.0.attn_q.weight.lora_a", [1, 3]),
                WrittenTensor("blk.0.attn_q.weight.lora_b", [4, 1]),
            ])
        let matrices = try load(try directory.write(bytes, to: "adapter.gguf"), served)
        #expect(matrices[served.modules[0].up]?.floats() == [0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 6, 0, 0, 0])
    }

    @Test("are read in 16 and 32 bits", arguments: ElementType.allCases)
    func types(type: ElementType) throws {
        let served = served("model.layers.0.mlp.up_proj")
        var tensors = pair("model.layers.0.mlp.up_proj")
        for index in tensors.indices { tensors[index].type = type }
        let matrices = try load(try directory.peft(tensors), served)
        #expect(matrices[served.modules[0].up]?.floats()[..<5] == [0, 2, 0, 0, 4])
    }
}

extension TemporaryDirectory {
    func peft(_ tensors: [WrittenTensor]) throws -> String { try peft("\"r\": 2, \"lora_alpha\": 4", tensors) }
}
