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

    @Test func `the same holds for names of GGUF`() throws {
        var builder = GGUFBuilder()
        builder.add("blk.0.attn_q.weight", [1], dimensions: [1])
        builder.add("blk.0.attn_q_norm.weight", [1], dimensions: [1])
        let watched = WatchedSource(try GGUFSource(file: "test.gguf", memory: memory(builder.build())))
        _ = try watched.tensor(named: "blk.0.attn_q.weight")
        let error = #expect(throws: WeightLoadingError.self) { try watched.checkUnread() }
        #expect(try #require(error).description.contains("test.gguf: tensor blk.0.attn_q_norm.weight"))
    }
}
