internal import JSON

/// What a compressed-tensors checkpoint says about itself (vllm-project/compressed-tensors, `quant_config.py` and
/// `quant_args.py`); of its formats, `pack-quantized`.
public struct CompressedTensorsConfiguration: Sendable, Hashable {
    /// How the matrices of a group of modules are packed.
    struct Scheme: Sendable, Hashable {
        let bitCount: Int
        /// Inputs that share a scale; nil for a whole column.
        let groupSize: Int?
        let isSymmetric: Bool
        /// Whether inputs of a group lie anywhere (`actorder: group`).
        let hasInputOrder: Bool
    }

    /// Which modules something is about.
    enum Target: Sendable, Hashable {
        /// Every linear module.
        case linear
        /// The linear modules inside of modules of a class such as `LlamaMLP`, which have this part in their names.
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

        /// Names come before patterns, and both before classes.
        var rank: Int {
            switch self {
            case .name: 0
            case .pattern: 1
            case .linear, .inside: 2
            }
        }
    }

    /// The file that says so.
    public let file: String
    private let schemes: [Assignment]
    private let ignored: [Target]

    private struct Assignment: Sendable, Hashable {
        let target: Target
        let scheme: Scheme
    }

    init(_ document: JSONDocument) throws(WeightLoadingError) {
        file = document.file
        try document.require("format", oneOf: ["pack-quantized"])
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
            try group.require("format", oneOf: ["pack-quantized"])
            for key in ["input_activations", "output_activations"] where group.value(key) != nil {
                throw .unsupported(
                    file: file, key: group.path(key), found: "quantized activations", supported: "weights alone")
            }
            let scheme = try Scheme(group)
            for target in try Self.targets(group, "targets") {
                schemes.append(Assignment(target: target, scheme: scheme))
            }
        }
        self.schemes = schemes.enumerated().sorted {
            ($0.element.target.rank, $0.offset) < ($1.element.target.rank, $1.offset)
        }.map(\.element)
    }

    /// How the matrix of the linear module `module` is packed; nil where it stays dense.
    func scheme(of module: String) -> Scheme? {
        guard !ignored.contains(where: { $0.matches(module) }) else { return nil }
        return schemes.first { $0.target.matches(module) }?.scheme
    }

    /// Weights may be stored rotated. Where that is undone by other weights there is nothing to do; where activations, queries
    /// or keys are to be rotated as well, nobody here would.
    private static func refuseTransforms(_ document: JSONDocument) throws(WeightLoadingError) {
        guard let groups = try document.object("transform_config")?.object("config_groups") else { return }
        for name in groups.keys.sorted() {
            guard let group = try groups.object(name), case .array(let places) = group.value("apply") else { continue }
            for case .object(let place) in places {
                guard case .string(let location) = place["location"], !location.hasPrefix("weight_") else { continue }
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

extension CompressedTensorsConfiguration.Scheme {
    fileprivate init(_ group: JSONDocument) throws(WeightLoadingError) {
        guard let weights = try group.object("weights") else {
            throw .missingKey(file: group.file, key: group.path("weights"), expected: "how weights are quantized")
        }
        bitCount = try weights.bitCount("num_bits", [4, 8])
        try weights.require("type", oneOf: ["int"])
        try weights.require("strategy", oneOf: ["group", "channel"])
        if try weights.bool("dynamic") == true {
            throw .unsupported(
                file: group.file, key: weights.path("dynamic"), found: "true", supported: "false")
        }
        let strategy = try weights.string("strategy")
        // Without a strategy a group size decides, as the library does it.
        let hasGroups = strategy.map { $0.lowercased() == "group" } ?? (weights.value("group_size") != nil)
        groupSize = hasGroups ? try weights.groupSize("group_size") : nil
        isSymmetric = try weights.bool("symmetric") ?? true
        let names = ["group", "dynamic", "weight", "static"]
        // `true` once meant the first, `false` none.
        if case .bool(let isOn) = weights.value("actorder") {
            hasInputOrder = isOn
        } else {
            try weights.require("actorder", oneOf: names)
            hasInputOrder = names.prefix(2).contains(try weights.string("actorder")?.lowercased() ?? "")
        }
    }
}
