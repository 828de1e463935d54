import Weights

/// An adapter as a GGUF file (ggml-org/llama.cpp, `convert_lora_to_gguf.py`): `general.type` is `adapter`, and the weight
/// `blk.0.attn_q.weight` has the tensors `….lora_a`, `[rank, inputSize]`, and `….lora_b`, `[outputSize, rank]`.
struct GGUFAdapter {
    let source: GGUFSource
    let products: [AdapterFile.Product]
    let baseModel: String?

    init(file: String) throws(AdapterError) {
        let source = try AdapterError.reading { () throws(WeightLoadingError) in
            try GGUFSource(file: file, maxHeaderByteCount: AdapterFile.maxHeaderByteCount)
        }
        func refuse(_ key: String, _ supported: String) -> AdapterError {
            .file(
                .unsupported(
                    file: file, key: key, found: source.metadata[key]?.kind ?? "that is missing", supported: supported))
        }
        guard source.metadata["general.type"] == .string("adapter") else { throw refuse("general.type", "adapter") }
        guard source.metadata["adapter.type"] == .string("lora") else { throw refuse("adapter.type", "lora") }
        if source.metadata["adapter.alora.invocation_tokens"] != nil {
            throw refuse("adapter.alora.invocation_tokens", "adapters without invocation tokens")
        }
        let alpha: Double
        switch source.metadata["adapter.lora.alpha"] {
        case .number(let number) where number.isFinite: alpha = number
        case .integer(let integer): alpha = Double(integer)
        default: throw refuse("adapter.lora.alpha", "a finite number")
        }
        if case .string(let name) = source.metadata["general.base_model.0.name"] {
            baseModel = name
        } else {
            baseModel = nil
        }
        self.source = source
        products = try Self.products(source, alpha: alpha)
    }

    private static func products(
        _ source: GGUFSource, alpha: Double
    ) throws(AdapterError) -> [AdapterFile.Product] {
        var products: [AdapterFile.Product] = []
        let (downEnd, upEnd) = (".weight.lora_a", ".weight.lora_b")
        for name in source.tensorNames {
            guard name.hasSuffix(downEnd) || name.hasSuffix(upEnd) else {
                throw .unsupportedTensor(
                    file: source.file, tensor: name, reason: "is not the .lora_a or .lora_b of a weight")
            }
            let module = String(name.dropLast(downEnd.count))
            let other = module + (name.hasSuffix(downEnd) ? upEnd : downEnd)
            guard source.shape(of: other) != nil else {
                throw .missingTensor(file: source.file, tensor: name, missing: other)
            }
            guard name.hasSuffix(downEnd) else { continue }
            guard module.hasPrefix("blk.") else {
                throw .unsupportedTensor(
                    file: source.file, tensor: name,
                    reason: "changes an embedding or the output matrix, expected linear modules of layers only")
            }
            let rank = source.shape(of: name)?.first ?? 0
            // An alpha of 0 stands for no scale.
            products.append(
                .init(
                    module: module, down: name, up: other, rank: rank,
                    scale: alpha == 0 || rank == 0 ? 1 : alpha / Double(rank)))
        }
        return products
    }
}
