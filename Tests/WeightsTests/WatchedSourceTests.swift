import Testing

@testable import Weights

/// Errors and warnings about tensors that a model does not read.
@Suite struct WatchedSourceTests {
    /// A source with a layer and a norm that are read, and `others`.
    private func watched(_ others: [(name: String, values: [Float], shape: [Int])]) throws -> WatchedSource {
        let read: [(name: String, values: [Float], shape: [Int])] = [
            ("model.layers.0.self_attn.q_proj.weight", [1], [1, 1]), ("model.norm.weight", [1], [1]),
        ]
        let watched = WatchedSource(try source(safetensors(read + others)))
        for tensor in read { _ = try watched.tensor(named: tensor.name) }
        return watched
    }

    @Test func `there are no warnings if all tensors are read`() throws {
        let all = try watched([])
        #expect(try all.checkUnread() == [])
        #expect(all.tensorNames.count == 2 && all.byteCount == 8 && all.shape(of: "model.norm.weight") == [1])
    }

    @Test(arguments: [
        "model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.q_norm.weight", "model.norm.bias",
        "model.layers.0.post_feedforward_layernorm.weight", "model.embedding_norm.weight",
        "model.layers.0.self_attn.sinks", "model.layers.0.layer_scalar",
    ])
    func `an unread tensor that changes the result is refused`(name: String) throws {
        let error = #expect(throws: WeightLoadingError.self) { try watched([(name, [0.5], [1])]).checkUnread() }
        #expect(try #require(error).description.hasPrefix("test: tensor \(name) "))
        #expect(try #require(error).description.contains("the checkpoint is of another architecture"))
    }

    /// GPTQ's tools write a bias for every matrix.
    @Test func `a bias of zeros may stay unread`() throws {
        #expect(try watched([("model.layers.0.self_attn.q_proj.bias", [0, -0], [2])]).checkUnread() == [])
    }

    @Test(arguments: [
        "model.layers.0.self_attn.rotary_emb.inv_freq", "model.layers.0.attn.masked_bias", "lm_head.weight",
        "transformer.h.0.attn.bias", "model.embeddings.position_ids", "model.layers.0.mlp.up_proj.input_scale",
    ])
    func `precomputed tables may stay unread`(name: String) throws {
        #expect(try watched([(name, [0.5], [1])]).checkUnread() == [])
    }

    @Test func `other unread tensors are named in a warning`() throws {
        let rest: [(name: String, values: [Float], shape: [Int])] = [
            "classifier.bias", "model.layers.0.mlp.extra", "model.layers.7.input_layernorm.weight",
            "vision_tower.layers.0.norm.weight",
        ].map { ($0, [1], [1]) }
        #expect(
            try watched(rest).checkUnread() == [
                "test has 4 tensors that the model does not use: classifier.bias, model.layers.0.mlp.extra, "
                    + "model.layers.7.input_layernorm.weight, …"
            ])
        #expect(
            try watched([rest[0]]).checkUnread() == ["test has a tensor that the model does not use: classifier.bias"])
    }

    /// A GGUF file with a matrix that is read, and another tensor.
    private func watchedGGUF(_ name: String, dimensions: [UInt64]) throws -> WatchedSource {
        var builder = GGUFBuilder()
        builder.add("blk.0.attn_q.weight", [1], dimensions: [1])
        builder.add(name, Array(repeating: 1, count: Int(dimensions.reduce(1, *))), dimensions: dimensions)
        let watched = WatchedSource(try GGUFSource(file: "test.gguf", memory: memory(builder.build())))
        _ = try watched.tensor(named: "blk.0.attn_q.weight")
        return watched
    }

    /// Converters write factors and sinks with and without `.weight`.
    @Test(arguments: [
        "attn_q_norm.weight", "layer_output_scale", "layer_output_scale.weight", "attn_sinks.weight", "ffn_gate.scale",
    ])
    func `the same holds for every vector of a layer in a GGUF file`(name: String) throws {
        let error = #expect(throws: WeightLoadingError.self) {
            try watchedGGUF("blk.0.\(name)", dimensions: [1]).checkUnread()
        }
        #expect(try #require(error).description.contains("test.gguf: tensor blk.0.\(name)"))
    }

    @Test func `matrices, other layers and precomputed tables of a GGUF file may stay unread`() throws {
        let others: [(String, [UInt64])] = [
            ("blk.0.extra.weight", [2, 2]), ("blk.7.layer_output_scale", [1]), ("v.blk.0.ln1.weight", [1]),
        ]
        for (name, dimensions) in others {
            #expect(
                try watchedGGUF(name, dimensions: dimensions).checkUnread()
                    == ["test.gguf has a tensor that the model does not use: \(name)"])
        }
        #expect(try watchedGGUF("blk.0.attn_rot_embd", dimensions: [1]).checkUnread() == [])
    }
}
