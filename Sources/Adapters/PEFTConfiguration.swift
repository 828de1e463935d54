import JSON
import Weights

/// `adapter_config.json` of a LoRA adapter in PEFT's format (huggingface/peft, `LoraConfig`).
struct PEFTConfiguration: Sendable {
    /// The layers that an adapter changes.
    enum Targets: Sendable {
        /// Modules of these names, or whose names end with `.` and one of them.
        case names([String])
        /// Modules whose whole name matches.
        case pattern(ModulePattern)
        /// Every linear module.
        case all
    }

    let file: String
    let rank: Int
    let alpha: Double
    /// Scale by `alpha / sqrt(rank)` instead of `alpha / rank` (arXiv 2312.03732).
    let usesRankStabilization: Bool
    /// The ranks and alphas of modules whose names end with a match, in the order of the file; the first one counts.
    let rankPatterns: [(pattern: ModulePattern, rank: Int)]
    let alphaPatterns: [(pattern: ModulePattern, alpha: Double)]
    let targets: Targets
    /// The only layers that the adapter changes; nil: all.
    let layers: Set<Int>?
    /// The name of the model that the adapter was trained on.
    let baseModel: String?

    /// Larger files are refused before they are read.
    private static let maxByteCount = 1 << 20
    /// More patterns than this are refused.
    private static let maxPatternCount = 4096

    /// Reads `file`. Throws for what Quire does not compute: everything but LoRA on linear modules.
    init(file: String) throws(AdapterError) {
        self.file = file
        let config = try AdapterError.reading { () throws(WeightLoadingError) in
            try JSONReader<WeightLoadingError>(file: file, maxByteCount: Self.maxByteCount)
        }
        do throws(WeightLoadingError) {
            try Self.refuseOtherMethods(config)
            rank = try Self.positive(config, "r") ?? 8
            alpha = try config.number("lora_alpha") ?? 8
            usesRankStabilization = try config.bool("use_rslora") ?? false
            // The stored matrices are the same either way.
            _ = try config.bool("fan_in_fan_out")
            baseModel = try config.string("base_model_name_or_path")
            rankPatterns = try Self.patterns(config, "rank_pattern") { object, key throws(WeightLoadingError) in
                try Self.positive(object, key)
            }.map { ($0.pattern, $0.value) }
            alphaPatterns = try Self.patterns(config, "alpha_pattern") { object, key throws(WeightLoadingError) in
                try object.number(key)
            }.map { ($0.pattern, $0.value) }
            targets = try Self.targets(config)
            layers = try Self.layers(config)
        } catch {
            throw .file(error)
        }
    }

    /// What the product of `module`'s two matrices is multiplied with, and the rank that the configuration states.
    func scale(of module: String) -> (rank: Int, scale: Double) {
        let rank = rankPatterns.first { $0.pattern.matchesEnd(of: module) }?.rank ?? rank
        let alpha = alphaPatterns.first { $0.pattern.matchesEnd(of: module) }?.alpha ?? alpha
        return (rank, alpha / (usesRankStabilization ? Double(rank).squareRoot() : Double(rank)))
    }

    /// Whether PEFT would change `module`.
    func isTarget(_ module: String) -> Bool {
        if let layers, let number = module.split(separator: ".").lazy.compactMap({ Int($0) }).first,
            !layers.contains(number)
        {
            return false
        }
        switch targets {
        case .all: return true
        case .names(let names): return names.contains { module == $0 || module.hasSuffix("." + $0) }
        case .pattern(let pattern): return pattern.matchesAll(of: module)
        }
    }
}

// MARK: Keys

extension PEFTConfiguration {
    private typealias Reader = JSONReader<WeightLoadingError>

    private static func refuseOtherMethods(_ config: Reader) throws(WeightLoadingError) {
        func refuse(_ key: String, _ supported: String) -> WeightLoadingError {
            .unsupported(
                file: config.file, key: key, found: config.value(key)?.summary ?? "null", supported: supported)
        }
        guard let type = try config.string("peft_type") else {
            throw .missingKey(file: config.file, key: "peft_type", expected: "\"LORA\"")
        }
        guard type == "LORA" else { throw refuse("peft_type", "LORA") }
        guard try config.string("bias") ?? "none" == "none" else { throw refuse("bias", "none") }
        // DoRA and other methods that compute something else than two products.
        for member in config.members where member.key.hasPrefix("use_") && member.key != "use_rslora" {
            guard member.value == .bool(false) || member.value == .null else { throw refuse(member.key, "false") }
        }
        guard config.value("lora_bias") ?? .bool(false) == .bool(false) else { throw refuse("lora_bias", "false") }
        for key in [
            "modules_to_save", "target_parameters", "trainable_token_indices", "layer_replication",
            "alora_invocation_tokens",
        ] {
            switch config.value(key) {
            case nil: continue
            case .array(let elements) where elements.isEmpty: continue
            case .object(let object) where object.members.isEmpty: continue
            default: throw refuse(key, "null")
            }
        }
        // These change the weights of the model that the adapter is added to.
        if case .string(let method) = config.value("init_lora_weights"),
            !["gaussian", "eva", "orthogonal"].contains(method)
        {
            throw refuse("init_lora_weights", "true, false, gaussian, eva, orthogonal")
        }
    }

    private static func positive(_ object: Reader, _ key: String) throws(WeightLoadingError) -> Int? {
        guard let integer = try object.integer(key) else { return nil }
        guard (1...1 << 20).contains(integer) else {
            throw object.error(key, expected: "a positive integer", found: .integer(integer))
        }
        return integer
    }

    private static func patterns<Value>(
        _ config: Reader, _ key: String, _ read: (Reader, String) throws(WeightLoadingError) -> Value?
    ) throws(WeightLoadingError) -> [(pattern: ModulePattern, value: Value)] {
        guard let object = try config.object(key) else { return [] }
        guard object.members.count <= maxPatternCount else {
            throw config.error(key, expected: "at most \(maxPatternCount) patterns", found: nil)
        }
        var patterns: [(pattern: ModulePattern, value: Value)] = []
        for member in object.members {
            guard let value = try read(object, member.key) else { continue }
            patterns.append((try pattern(member.key, config, key), value))
        }
        return patterns
    }

    private static func pattern(
        _ text: String, _ config: Reader, _ key: String
    ) throws(WeightLoadingError) -> ModulePattern {
        do { return try ModulePattern(text) } catch {
            throw .unsupported(
                file: config.file, key: key, found: "\"\(text.prefix(80))\" (\(error))",
                supported: "regular expressions without back references and look-behind")
        }
    }

    private static func targets(_ config: Reader) throws(WeightLoadingError) -> Targets {
        switch config.value("target_modules") {
        case nil: return .all
        case .string("all-linear"): return .all
        case .string(let text): return .pattern(try pattern(text, config, "target_modules"))
        default:
            guard let elements = try config.array("target_modules"), elements.count <= maxPatternCount else {
                throw config.error(
                    "target_modules", expected: "at most \(maxPatternCount) names",
                    found: config.value("target_modules"))
            }
            var names: [String] = []
            for element in try config["target_modules"].elements() { names.append(try element.string()) }
            return .names(names)
        }
    }

    private static func layers(_ config: Reader) throws(WeightLoadingError) -> Set<Int>? {
        switch config.value("layers_to_transform") {
        case nil: return nil
        case .integer(let layer): return [layer]
        default:
            var layers: Set<Int> = []
            for (index, element) in (try config.array("layers_to_transform") ?? []).enumerated() {
                guard case .integer(let layer) = element else {
                    throw config.error("layers_to_transform[\(index)]", expected: "an integer", found: element)
                }
                layers.insert(layer)
            }
            return layers
        }
    }
}
