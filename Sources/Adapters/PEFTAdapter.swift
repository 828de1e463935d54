import Weights

/// An adapter in PEFT's format: a directory with `adapter_config.json` and `adapter_model.safetensors`.
struct PEFTAdapter {
    let configuration: PEFTConfiguration
    let source: SafetensorsSource
    let products: [AdapterFile.Product]

    /// What stands before the names of modules.
    private static let prefix = "base_model.model."

    init(directory: String) throws(AdapterError) {
        func path(_ name: String) -> String { directory.hasSuffix("/") ? directory + name : directory + "/" + name }
        guard PathKind(of: path("adapter_config.json")) == .file else {
            throw .notAnAdapter(path: directory, reason: "it has no adapter_config.json")
        }
        let configuration = try PEFTConfiguration(file: path("adapter_config.json"))
        let file = path("adapter_model.safetensors")
        guard PathKind(of: file) == .file else {
            let pickle = PathKind(of: path("adapter_model.bin")) == .file
            throw .notAnAdapter(
                path: directory,
                reason: pickle
                    ? "its adapter_model.bin is a pickle, which can run code; save it as adapter_model.safetensors"
                    : "it has no adapter_model.safetensors")
        }
        source = try AdapterError.reading { () throws(WeightLoadingError) in
            try SafetensorsSource(file: file, maxHeaderByteCount: AdapterFile.maxHeaderByteCount)
        }
        self.configuration = configuration
        products = try Self.products(source, configuration)
    }

    /// Pairs the tensors by their modules.
    private static func products(
        _ source: SafetensorsSource, _ configuration: PEFTConfiguration
    ) throws(AdapterError) -> [AdapterFile.Product] {
        var pairs: [String: (down: String?, up: String?)] = [:]
        for name in source.tensorNames {
            let (module, isUp) = try parse(name, file: source.file)
            let taken = isUp ? pairs[module]?.up : pairs[module]?.down
            guard taken == nil else {
                throw .unsupportedTensor(
                    file: source.file, tensor: name, reason: "is for a module that has \(taken ?? "")")
            }
            if isUp {
                pairs[module, default: (nil, nil)].up = name
            } else {
                pairs[module, default: (nil, nil)].down = name
            }
        }
        var products: [AdapterFile.Product] = []
        for (module, pair) in pairs.sorted(by: { $0.key < $1.key }) {
            guard let down = pair.down, let up = pair.up else {
                let tensor = pair.down ?? pair.up ?? module
                throw .missingTensor(
                    file: source.file, tensor: tensor,
                    missing: pair.down == nil
                        ? tensor.replacingLast(".lora_B.", with: ".lora_A.")
                        : tensor.replacingLast(".lora_A.", with: ".lora_B."))
            }
            guard configuration.isTarget(module) else {
                throw .unsupportedTensor(
                    file: source.file, tensor: down,
                    reason: "is for a module that \(configuration.file) does not name in target_modules and "
                        + "layers_to_transform")
            }
            let (rank, scale) = configuration.scale(of: module)
            products.append(.init(module: module, down: down, up: up, rank: rank, scale: scale))
        }
        return products
    }

    /// The module of a tensor called `base_model.model.MODULE.lora_A.weight` or `….lora_B.NAME.weight`.
    private static func parse(_ name: String, file: String) throws(AdapterError) -> (module: String, isUp: Bool) {
        func unsupported(_ reason: String) -> AdapterError {
            .unsupportedTensor(file: file, tensor: name, reason: reason)
        }
        if name.contains("lora_embedding_") {
            throw unsupported("changes an embedding, expected linear modules only")
        }
        if name.contains("lora_magnitude_vector") { throw unsupported("belongs to DoRA, expected LoRA") }
        let parts = name.split(separator: ".")
        guard let index = parts.lastIndex(where: { $0 == "lora_A" || $0 == "lora_B" }), index > 0,
            parts.last == "weight",
            index == parts.count - 2 || index == parts.count - 3
        else {
            throw unsupported(
                "is not the lora_A.weight or lora_B.weight of a module (modules_to_save and biases are not supported)")
        }
        let path = parts[..<index].joined(separator: ".")
        return (path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path, parts[index] == "lora_B")
    }
}

extension String {
    /// The text with the last `part` of it replaced; unchanged where it has none.
    fileprivate func replacingLast(_ part: String, with other: String) -> String {
        guard let range = ranges(of: part).last else { return self }
        return self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
