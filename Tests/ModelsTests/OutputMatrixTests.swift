import Backends
import Tensors
import Testing
import Weights

@testable import Models

/// Which matrix computes the logits, and under which names tensors are found. As in transformers 5.24, a matrix in the file has
/// precedence over the configuration.
@Suite struct OutputMatrixTests {
    /// The embedding table and the output matrix of a checkpoint; other tensors are the loader's.
    private struct Tables: TensorSource {
        var tensors: [String: [Float]]
        var file: String { "memory" }
        var tensorNames: [String] { tensors.keys.sorted() }
        var byteCount: Int { 0 }
        func shape(of name: String) -> [Int]? { tensors[name].map { [$0.count / 8, 8] } }
        func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
            guard let values = tensors[name] else { throw .missingTensor(file: file, tensor: name) }
            let memory = HostMemory(byteCount: values.count * 4) { target in
                values.withUnsafeBytes { target.copyMemory(from: $0) }
            }
            return StoredTensor(file: file, name: name, type: .f32, shape: [values.count / 8, 8], memory: memory)
        }
    }

    private static let table = Array(repeating: Float(1), count: 80)
    private static let other = Array(repeating: Float(2), count: 80)

    /// The plan of the tiny model with these tables, and `layers` before the names of its layers.
    private func encode(
        tied: String, _ tensors: [String: [Float]], prefix: String = "model."
    ) throws -> ForwardPlan {
        let known = Set(tensors.keys)
        let loader = OnesLoader(has: { name in
            known.contains(name)
                || (name.hasPrefix(prefix + "layers.") || name == prefix + "norm.weight")
                    && !name.hasSuffix(".bias") && !name.contains("qkv")
        })
        return try LlamaArchitecture().encode(
            ModelSource(
                metadata: try metadata(tinyConfig(["tie_word_embeddings": tied])),
                shape: ModelShape(vocabularySize: 10, maxPositionCount: 64), tensors: Tables(tensors: tensors),
                loader: loader))
    }

    /// The name of the matrix of the last operation.
    private func output(_ plan: ForwardPlan) -> String? {
        guard case .linear(_, let weights, _, _)? = plan.operations.last else { return nil }
        return plan[weights].name
    }

    private static let names = (table: "model.embed_tokens.weight", output: "lm_head.weight")

    @Test(arguments: ["true", "", "null"]) func `without an output matrix the table is used`(tied: String) throws {
        #expect(output(try encode(tied: tied, [Self.names.table: Self.table])) == Self.names.table)
    }

    @Test func `a matrix that the configuration promises is missed`() {
        #expect(throws: WeightLoadingError.missingTensor(file: "memory", tensor: Self.names.output)) {
            try encode(tied: "false", [Self.names.table: Self.table])
        }
    }

    @Test(arguments: ["true", "false", ""]) func `a separate output matrix is used, and a copy is loaded once`(
        tied: String
    ) throws {
        let own = try encode(tied: tied, [Self.names.table: Self.table, Self.names.output: Self.other])
        #expect(output(own) == Self.names.output)
        let copy = try encode(tied: tied, [Self.names.table: Self.table, Self.names.output: Self.table])
        #expect(output(copy) == Self.names.table && copy.matrices.count == own.matrices.count - 1)
    }

    @Test func `a table that is stored only as the output matrix is both`() throws {
        let plan = try encode(tied: "true", [Self.names.output: Self.other])
        #expect(output(plan) == Self.names.output && plan.matrices.count == 1 + 2 * 7)
    }

    @Test(arguments: ["", "language_model.model.", "model.language_model."])
    func `names of bare decoders and of multimodal checkpoints are found`(prefix: String) throws {
        let plan = try encode(tied: "true", [prefix + "embed_tokens.weight": Self.table], prefix: prefix)
        #expect(output(plan) == prefix + "embed_tokens.weight")
        #expect(plan.vectors.contains { $0.name == prefix + "layers.1.input_layernorm.weight" })
    }
}
