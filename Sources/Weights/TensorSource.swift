import Synchronization

/// The tensors of a checkpoint, whatever its file format.
public protocol TensorSource: Sendable {
    /// The file, or for a sharded checkpoint its index: for errors.
    var file: String { get }
    /// Names of all tensors, sorted.
    var tensorNames: [String] { get }
    /// Bytes of all tensors.
    var byteCount: Int { get }
    /// Extents of a tensor, outermost first; nil when there is none of this name.
    func shape(of name: String) -> [Int]?
    /// The tensor of this name. Throws `missingTensor`.
    func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor
}

/// The tensors of another source. It records which of them are read, to report the others.
public final class WatchedSource: TensorSource {
    private let source: any TensorSource
    private let read = Mutex<Set<String>>([])

    public init(_ source: any TensorSource) { self.source = source }

    /// What was opened, for errors.
    public var file: String { source.file }
    /// Names of all tensors, sorted.
    public var tensorNames: [String] { source.tensorNames }
    /// Bytes of all tensors.
    public var byteCount: Int { source.byteCount }
    /// Extents of a tensor, outermost first; nil when there is none of this name.
    public func shape(of name: String) -> [Int]? { source.shape(of: name) }

    /// The tensor of this name. Throws `missingTensor`.
    public func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try source.tensor(named: name)
        _ = read.withLock { $0.insert(name) }
        return tensor
    }

    /// Warnings about tensors that were not read, to be called when the model's weights are loaded. Throws
    /// `unreadTensor` for a tensor that must affect the results: a nonzero bias of a matrix that was read, and in a layer
    /// that was read a norm, attention sinks, a factor on its output, or any vector of a GGUF file.
    public func checkUnread() throws(WeightLoadingError) -> [String] {
        let read = read.withLock { $0 }
        let modules = Set(read.map { Self.parent(of: $0) })
        let layers = Set(read.compactMap { Self.layer(of: $0) })
        var unused: [String] = []
        for name in tensorNames where !read.contains(name) && !Self.isHarmless(name) {
            if name.hasSuffix(".bias"), modules.contains(Self.parent(of: name)) {
                guard try source.tensor(named: name).isAllZero() else { throw unread(name, "is a bias") }
                // GPTQ writes one for every matrix, mostly of zeros.
                continue
            }
            let isOfModel = Self.layer(of: name).map { layers.contains($0) } ?? Self.isOuter(name)
            if isOfModel, name.hasPart("norm") { throw unread(name, "belongs to a norm") }
            if isOfModel, let meaning = Self.meaning(of: name, shape: shape(of: name) ?? []) {
                throw unread(name, meaning)
            }
            unused.append(name)
        }
        guard !unused.isEmpty else { return [] }
        let examples = unused.prefix(3).joined(separator: ", ") + (unused.count > 3 ? ", …" : "")
        let tensors = unused.count == 1 ? "a tensor that the model does not use" : "tensors that the model does not use"
        return ["\(file) has \(unused.count == 1 ? "" : "\(unused.count) ")\(tensors): \(examples)"]
    }

    private func unread(_ name: String, _ reason: String) -> WeightLoadingError {
        .unreadTensor(file: file, tensor: name, reason: reason)
    }

    /// What an unread tensor of a layer would have done; nil: it may be left over. Quantized Hugging Face checkpoints have
    /// vectors that nobody needs, such as `g_idx`; in layers of GGUF files, vectors are norms, biases and factors, which
    /// converters write with and without `.weight`.
    private static func meaning(of name: String, shape: [Int]) -> String? {
        let last = name.split(separator: ".").last ?? ""
        if last == "sinks" || name.hasPart("attn_sinks") { return "holds attention sinks" }
        if last == "layer_scalar" { return "is a factor on the output of its layer" }
        return name.hasPrefix("blk.") && shape.count <= 1 ? "is a vector of a layer" : nil
    }

    /// Precomputed tables that the model does not need, scales of activations that stay exact, and a copy of the embedding
    /// table.
    private static func isHarmless(_ name: String) -> Bool {
        [
            ".inv_freq", ".attn_rot_embd", ".attn.bias", ".masked_bias", ".position_ids", ".input_scale",
            ".output_scale",
        ].contains { name.hasSuffix($0) }
            || name == "lm_head.weight"
    }

    /// `name` without its last part.
    private static func parent(of name: String) -> String {
        name.utf8.lastIndex(of: UInt8(ascii: ".")).map { String(name[..<$0]) } ?? ""
    }

    /// `name` up to the number of a layer; nil where there is none.
    private static func layer(of name: String) -> String? {
        let parts = name.split(separator: ".")
        guard let number = parts.firstIndex(where: { Int($0) != nil }) else { return nil }
        return parts[...number].joined(separator: ".")
    }

    /// Whether `name` belongs to this model outside of its layers, and not to another model in the checkpoint.
    private static func isOuter(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        return parts.count == 2 || parts.count == 3 && parts[0] == "model"
    }
}

extension StoredTensor {
    /// Whether every number is zero. Throws `unsupportedType`.
    fileprivate func isAllZero() throws(WeightLoadingError) -> Bool { try floats().allSatisfy { $0 == 0 } }
}
