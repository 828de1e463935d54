import Testing

@testable import Weights

/// Which matrix computes the logits. As in transformers 5.24, a matrix in the file has precedence over the
/// configuration.
@Suite struct OutputMatrixTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static let table: (String, [Float], [Int]) = ("model.embed_tokens.weight", [1, 2, 3, 4], [2, 2])
    private static let same: (String, [Float], [Int]) = ("lm_head.weight", [1, 2, 3, 4], [2, 2])
    private static let other: (String, [Float], [Int]) = ("lm_head.weight", [1, 2, 3, 5], [2, 2])

    private func open(_ tied: String?, _ tensors: [(name: String, values: [Float], shape: [Int])]) throws -> Checkpoint
    {
        let key = tied.map { ",\"tie_word_embeddings\":\($0)" } ?? ""
        try directory.write(
            """
            {"architectures":["LlamaForCausalLM"],"hidden_size":2,"intermediate_size":2,"num_hidden_layers":1,\
            "num_attention_heads":1,"vocab_size":2\(key)}
            """, to: "config.json")
        try directory.write(safetensors(tensors), to: "model.safetensors")
        return try Checkpoint(path: directory.path)
    }

    @Test(
        arguments: [
            ("true", true), ("false", false), (nil, true), ("null", true),
        ] as [(String?, Bool)])
    func `without an output matrix the configuration decides`(tied: String?, expected: Bool) throws {
        #expect(try open(tied, [Self.table]).configuration.tieWordEmbeddings == expected)
    }

    @Test(arguments: ["true", "false", nil] as [String?]) func `a separate output matrix is used`(tied: String?) throws
    {
        #expect(!(try open(tied, [Self.table, Self.other]).configuration.tieWordEmbeddings))
    }

    @Test(arguments: ["true", "false", nil] as [String?]) func `a copy of the embedding table is loaded once`(
        tied: String?
    ) throws {
        #expect(try open(tied, [Self.table, Self.same]).configuration.tieWordEmbeddings)
    }

    @Test func `a matrix of another shape is not a copy of the table`() throws {
        #expect(
            !(try open("true", [Self.table, ("lm_head.weight", [1, 2], [1, 2])]).configuration.tieWordEmbeddings))
    }

    @Test func `the same holds for shards`() throws {
        try directory.write(safetensors([Self.other]), to: "two.safetensors")
        _ = try open("true", [Self.table])
        try directory.write(safetensors([Self.table]), to: "one.safetensors")
        try directory.remove("model.safetensors")
        try directory.write(
            #"{"weight_map":{"lm_head.weight":"two.safetensors","model.embed_tokens.weight":"one.safetensors"}}"#,
            to: "model.safetensors.index.json")
        #expect(!(try Checkpoint(path: directory.path).configuration.tieWordEmbeddings))
    }

    @Test func `a table that is stored only as the output matrix is both`() throws {
        let checkpoint = try open("true", [Self.other])
        #expect(checkpoint.configuration.tieWordEmbeddings)
        #expect(try checkpoint.source.tensor(named: Self.table.0).floats() == [1, 2, 3, 5])
        // Without tying, the table is missing.
        #expect(try open("false", [Self.other]).source.shape(of: Self.table.0) == nil)
    }

    @Test func `names of the bare decoder get the model's prefix`() throws {
        let checkpoint = try open(
            "true", [("embed_tokens.weight", [1, 2, 3, 4], [2, 2]), ("norm.weight", [1, 1], [2]), Self.other])
        #expect(
            checkpoint.source.tensorNames == ["lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"])
        #expect(try checkpoint.source.tensor(named: "model.norm.weight").floats() == [1, 1])
        #expect(checkpoint.source.byteCount == 40)
        #expect(throws: WeightLoadingError.self) { try checkpoint.source.tensor(named: "norm") }
        #expect(!checkpoint.configuration.tieWordEmbeddings)
    }
}
