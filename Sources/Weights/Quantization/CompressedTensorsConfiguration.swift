import JSON
import SharedValues
import Tensors

/// The quantization configuration of a compressed-tensors checkpoint (vllm-project/compressed-tensors,
/// `quant_config.py` and `quant_args.py`).
///
/// `int-quantized` and `float-quantized`: `weight` `[out, in]` of one byte each, `weight_scale` for all of it, for each
/// row, for groups of a row, or for blocks (`compressors/naive_quantized`). `pack-quantized`: `weight_packed`
/// `[out, in * bits / 32]` along inputs, stored with half of the range added, `weight_scale` `[out, groups]`,
/// `weight_zero_point` `[out * bits / 32, groups]` likewise, and `weight_g_idx` `[in]` (`compressors/pack_quantized`).
/// Activations, which some checkpoints were made to round, stay as exact as the backend has them.
public struct CompressedTensorsConfiguration: Sendable, Hashable {
    /// How the matrices of a group of modules are quantized.
    struct Scheme: Sendable, Hashable {
        let bitCount: Int
        /// Inputs that share a scale; nil for a whole column.
        let groupSize: Int?
        /// Outputs and inputs that share a scale; nil: a scale belongs to one output, or to all.
        let block: [Int]?
        let isSymmetric: Bool
        /// Whether the inputs of a group are not neighbours (`actorder: group`).
        let hasInputOrder: Bool
    }

    /// The modules to which a scheme or the list of ignored modules refers.
    enum Target: Sendable, Hashable {
        /// Every linear module.
        case linear
        /// The linear modules inside modules of a class such as `LlamaMLP`; their names contain this text.
        case inside(String)
        case name(String)
        case pattern(ModulePattern)

        func matches(_ module: String) -> Bool {
            switch self {
            case .linear: true
            case .inside(let part): module.hasPart(part)
            case .name(let name): name == module
            case .pattern(let pattern): pattern.matches(module)
            }
        }

        /// Precedence, lowest first: names, patterns, classes.
        var rank: Int {
            switch self {
            case .name: 0
            case .pattern: 1
            case .linear, .inside: 2
            }
        }
    }

    /// Layouts of integers and of floats of eight bits; `naive-quantized` is either.
    private static let formats = ["pack-quantized", "int-quantized", "float-quantized", "naive-quantized"]

    /// The file that contains it.
    public let file: String
    private let schemes: [Assignment]
    private let ignored: [Target]

    private struct Assignment: Sendable, Hashable {
        let target: Target
        let scheme: Scheme
    }

    init(_ document: JSONDocument) throws(WeightLoadingError) {
        file = document.file
        try document.require("format", oneOf: Self.formats + ["mixed-precision"])
        if document.value("kv_cache_scheme") != nil {
            throw .unsupported(
                file: file, key: document.path("kv_cache_scheme"), found: "a quantized cache", supported: "none")
        }
        if let sparsity = try document.object("sparsity_config") {
            try sparsity.require("format", oneOf: ["dense"])
        }
        try Self.refuseTransforms(document)
        ignored = try Self.targets(document, "ignore")
        guard let groups = try document.object("config_groups"), !groups.members.isEmpty else {
            throw .missingKey(file: file, key: document.path("config_groups"), expected: "at least one group")
        }
        var schemes: [Assignment] = []
        for name in groups.keys.sorted() {
            guard let group = try groups.object(name) else { continue }
            try group.require("format", oneOf: Self.formats)
            let scheme = try Scheme(group)
            for target in try Self.targets(group, "targets") {
                schemes.append(Assignment(target: target, scheme: scheme))
            }
        }
        self.schemes = schemes.enumerated().sorted {
            ($0.element.target.rank, $0.offset) < ($1.element.target.rank, $1.offset)
        }.map(\.element)
    }

    /// How the matrix of the linear module `module` is quantized; nil: it stays dense.
    func scheme(of module: String) -> Scheme? {
        guard !ignored.contains(where: { $0.matches(module) }) else { return nil }
        return schemes.first { $0.target.matches(module) }?.scheme
    }

    /// Weights may be stored rotated. If other weights undo the rotation, nothing has to be done. If activations,
    /// queries or keys have to be rotated at run time, the checkpoint is refused, because no backend does that.
    private static func refuseTransforms(_ document: JSONDocument) throws(WeightLoadingError) {
        guard let groups = try document.object("transform_config")?.object("config_groups") else { return }
        for name in groups.keys.sorted() {
            guard let group = try groups.object(name), case .array(let applications) = group.value("apply") else {
                continue
            }
            for case .object(let application) in applications {
                guard case .string(let location) = application["location"], !location.hasPrefix("weight_") else {
                    continue
                }
                throw .unsupported(
                    file: document.file, key: group.path("apply"), found: "location \(location)",
                    supported: "weight_input and weight_output")
            }
        }
    }

    private static func targets(_ document: JSONDocument, _ key: String) throws(WeightLoadingError) -> [Target] {
        var targets: [Target] = []
        for text in try document.strings(key) {
            let classes = ["MLP": ".mlp.", "Attention": ".self_attn.", "DecoderLayer": ".layers."]
            if text == "Linear" {
                targets.append(.linear)
            } else if !text.hasPart("."), let part = classes.first(where: { text.hasSuffix($0.key) })?.value {
                targets.append(.inside(part))
            } else if text.hasPrefix("re:") {
                let pattern = try ModulePattern(
                    String(text.dropFirst(3)), file: document.file, key: document.path(key))
                targets.append(.pattern(pattern))
            } else {
                targets.append(.name(text))
            }
        }
        return targets
    }
}

extension CompressedTensorsConfiguration: QuantizationScheme {
    var codesPart: String? { "weight_packed" }

    func matrix(
        of module: ModuleTensors, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights? {
        let scheme = scheme(of: module.name)
        if let bytes = try module.byteMatrix(inputSize: inputSize, outputSize: outputSize, blocks: scheme?.block) {
            return bytes
        }
        guard let scheme, module.isQuantized("weight_packed") else { return nil }
        let (bitCount, perWord) = (scheme.bitCount, 32 / scheme.bitCount)
        let groupSize = try module.groupSize(scheme.groupSize, inputSize: inputSize)
        let groupCount = inputSize.dividedUp(by: groupSize)
        if let stored = try module.optional("weight_shape"), try stored.integers() != [outputSize, inputSize] {
            throw .shapeMismatch(
                file: stored.file, tensor: stored.name, expected: [outputSize, inputSize],
                found: try stored.integers())
        }
        let codes = try module.words("weight_packed", [outputSize, inputSize.dividedUp(by: perWord)])
        let scales = try module.tensor("weight_scale", [outputSize, groupCount])
        let zeros =
            scheme.isSymmetric
            ? nil
            : CodeTensor(
                try module.words("weight_zero_point", [outputSize.dividedUp(by: perWord), groupCount]),
                bitCount: bitCount, .alongRows)
        let order =
            scheme.hasInputOrder
            ? try InputOrder.read(
                try module.tensor("weight_g_idx", [inputSize]), inputSize: inputSize, groupSize: groupSize) : nil
        let format = GroupFormat(
            bitCount: bitCount, groupSize: groupSize, scaleType: try scales.scaleType(), hasZeros: zeros != nil)
        return module.matrix(
            GroupRows(
                format: format, inputSize: inputSize, orientation: .outputsFirst,
                codes: CodeTensor(codes, bitCount: bitCount, .alongColumns), scales: scales, zeros: zeros,
                zeroShift: 0, inputOrder: order, progress: module.progress), outputSize: outputSize)
    }
}

extension CompressedTensorsConfiguration.Scheme {
    fileprivate init(_ group: JSONDocument) throws(WeightLoadingError) {
        guard let weights = try group.object("weights") else {
            throw .missingKey(file: group.file, key: group.path("weights"), expected: "how weights are quantized")
        }
        bitCount = try weights.bitCount("num_bits", [4, 8])
        // Floats of four bits have layouts of their own.
        try weights.require("type", oneOf: bitCount == 8 ? ["int", "float"] : ["int"])
        try weights.require("strategy", oneOf: ["group", "channel", "tensor", "block"])
        if try weights.bool("dynamic") == true {
            throw .unsupported(
                file: group.file, key: weights.path("dynamic"), found: "true", supported: "false")
        }
        let strategy = try weights.string("strategy")
        // Without a strategy, a group size means groups, as in the library.
        let hasGroups = strategy.map { $0.lowercased() == "group" } ?? (weights.value("group_size") != nil)
        groupSize = hasGroups ? try weights.groupSize("group_size") : nil
        let rowGroup = groupSize.map { [1, $0] }
        block = strategy?.lowercased() == "block" ? try weights.block("block_structure") : rowGroup
        isSymmetric = try weights.bool("symmetric") ?? true
        let names = ["group", "dynamic", "weight", "static"]
        // In early versions `true` meant `group` and `false` no order.
        if case .bool(let isOn) = weights.value("actorder") {
            hasInputOrder = isOn
        } else {
            try weights.require("actorder", oneOf: names)
            hasInputOrder = names.prefix(2).contains(try weights.string("actorder")?.lowercased() ?? "")
        }
    }
}
