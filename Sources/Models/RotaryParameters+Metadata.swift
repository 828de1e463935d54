public import Weights

/// How a family reads the part of a head that is rotated.
public enum RotaryShare: Sendable, Hashable {
    /// The whole head; the class reads no factor.
    case whole
    /// `partial_rotary_factor`, with this value where it is absent.
    case partial(default: Double)
}

extension RotaryParameters {
    /// The rotary embedding that `metadata` states for heads of `headSize` numbers.
    ///
    /// - Parameters:
    ///   - layerType: the kind of layers, where `rope_parameters` has an object for each kind.
    ///   - theta: the base where none is stated.
    ///   - thetaKey: another key of the base, such as Gemma 3's `rope_local_base_freq`, which has no scaling.
    public init(
        _ metadata: ModelMetadata, headSize: Int, share: RotaryShare = .whole, layerType: String? = nil,
        theta: Double = 10_000
    ) throws(WeightLoadingError) {
        switch metadata.format {
        case .huggingFace:
            self = try Self.huggingFace(metadata, headSize, share, layerType, theta)
        case .gguf:
            self = try Self.gguf(metadata, headSize, theta)
        }
    }

    private static func requireRotarySize(
        _ size: Int, _ headSize: Int, _ metadata: ModelMetadata, _ key: String, gguf: String? = nil
    ) throws(WeightLoadingError) {
        guard size >= 2, size % 2 == 0, size <= headSize else {
            throw metadata.illTyped(
                key, gguf: gguf, expected: "an even number up to the head size, \(headSize)", found: "\(size)")
        }
    }
}

// MARK: Hugging Face

extension RotaryParameters {
    /// `rope_parameters`, or `rope_theta` and `rope_scaling` before transformers 5, which still reads the latter first.
    private static func huggingFace(
        _ metadata: ModelMetadata, _ headSize: Int, _ share: RotaryShare, _ layerType: String?, _ defaultTheta: Double
    ) throws(WeightLoadingError) -> RotaryParameters {
        let (parameters, oldScaling) = (try metadata.object("rope_parameters"), try metadata.object("rope_scaling"))
        var document = oldScaling ?? parameters
        if let layerType, let kind = try document?.object(layerType) { document = kind }
        func either(_ key: String) throws(WeightLoadingError) -> Double? {
            let (inner, outer) = (try document?.number(key), try metadata.number(key))
            return inner ?? outer
        }
        let maxPositionCount = try metadata.optionalSize("max_position_embeddings", limit: 1 << 30) ?? 0
        let type = try document.map(Self.type) ?? "default"
        var isPartial = false
        var fraction = 1.0
        if case .partial(let absent) = share {
            isPartial = true
            fraction = try either("partial_rotary_factor") ?? absent
        } else if type != "default" {
            // A factor that the family ignores is not checked.
            fraction = try either("partial_rotary_factor") ?? 1
        }
        var rotarySize = headSize
        if fraction != 1 {
            guard fraction > 0, fraction <= 1 else {
                throw metadata.illTyped(
                    "partial_rotary_factor", expected: "a number above 0, up to 1", found: "\(fraction)")
            }
            // Proportional rotation counts pairs of the whole head.
            rotarySize =
                type == "proportional"
                ? Int(fraction * Double(headSize) / 2) * 2 : Int(Double(headSize) * fraction)
            guard rotarySize == headSize || isPartial else {
                // transformers fails in this case as well.
                throw metadata.unsupported(
                    "partial_rotary_factor", found: "\(fraction)", supported: "1 where positions are scaled")
            }
        }
        try requireRotarySize(
            rotarySize, headSize, metadata, rotarySize < headSize ? "partial_rotary_factor" : "head_dim")
        let theta = try either("rope_theta") ?? defaultTheta
        guard theta > 0 else {
            throw metadata.illTyped("rope_theta", expected: "a positive number", found: "\(theta)")
        }
        var result = RotaryParameters(
            theta: theta, rotarySize: rotarySize, headSize: headSize, maxPositionCount: maxPositionCount)
        if let document {
            result.scaling = try scaling(document, type, metadata, result)
        }
        return result
    }

    /// Older configurations use the key `type`, and `su` for LongRoPE.
    private static func type(_ document: ModelMetadata) throws(WeightLoadingError) -> String {
        let (new, old) = (try document.string("rope_type"), try document.string("type"))
        let type = new ?? old ?? "default"
        return type == "su" ? "longrope" : type
    }

    private static func scaling(
        _ document: ModelMetadata, _ type: String, _ metadata: ModelMetadata, _ plain: RotaryParameters
    ) throws(WeightLoadingError) -> Scaling {
        /// The key beside the parameters has precedence over the one inside of them.
        func originalLength() throws(WeightLoadingError) -> Int {
            let key = "original_max_position_embeddings"
            if let outer = try metadata.optionalSize(key, limit: 1 << 30) { return outer }
            return try document.optionalSize(key, limit: 1 << 30) ?? plain.maxPositionCount
        }
        switch type {
        case "default", "mrope": return .none
        case "linear": return .linear(factor: try document.requiredPositive("factor"))
        case "proportional": return .proportional(factor: try document.positive("factor") ?? 1)
        case "dynamic":
            // Hunyuan states the base by `alpha` instead.
            if let alpha = try document.positive("alpha") { return .base(alpha: alpha) }
            return .dynamic(factor: try document.requiredPositive("factor"))
        case "yarn":
            let length = try originalLength()
            let factor =
                try document.positive("factor") ?? Double(plain.maxPositionCount) / Double(max(length, 1))
            let (mscale, all) = (try document.number("mscale") ?? 0, try document.number("mscale_all_dim") ?? 0)
            let inferred =
                mscale != 0 && all != 0
                ? yarnMagnitude(factor: factor, multiplier: mscale) / yarnMagnitude(factor: factor, multiplier: all)
                : yarnMagnitude(factor: factor)
            return .yarn(
                factor: factor, originalLength: length, betaFast: try document.positive("beta_fast") ?? 32,
                betaSlow: try document.positive("beta_slow") ?? 1,
                magnitude: try document.positive("attention_factor") ?? inferred,
                isTruncated: try document.bool("truncate") ?? true)
        case "llama3":
            let low = try document.requiredPositive("low_freq_factor")
            let high = try document.requiredPositive("high_freq_factor")
            guard low < high else {
                throw document.illTyped(
                    "high_freq_factor", expected: "more than low_freq_factor, \(low)", found: "\(high)")
            }
            return .llama3(
                factor: try document.requiredPositive("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                originalLength: try originalLength())
        case "longrope":
            let length = try originalLength()
            func factors(_ key: String) throws(WeightLoadingError) -> [Double] {
                let factors = try document.numbers(key) ?? []
                guard factors.count == plain.rotarySize / 2, factors.allSatisfy({ $0 > 0 }) else {
                    throw document.illTyped(
                        key, expected: "\(plain.rotarySize / 2) positive numbers", found: "\(factors.count)")
                }
                return factors
            }
            let factor =
                try document.positive("factor") ?? Double(plain.maxPositionCount) / Double(max(length, 1))
            return .longRope(
                short: try factors("short_factor"), long: try factors("long_factor"), originalLength: length,
                magnitude: try document.positive("attention_factor")
                    ?? longRopeMagnitude(factor: factor, originalLength: length))
        default:
            throw document.unsupported(
                "rope_type", found: type,
                supported: "default, linear, dynamic, yarn, longrope, llama3, proportional")
        }
    }
}

// MARK: GGUF

extension RotaryParameters {
    private static func gguf(
        _ metadata: ModelMetadata, _ headSize: Int, _ defaultTheta: Double
    ) throws(WeightLoadingError) -> RotaryParameters {
        func key(_ name: String) -> String { "rope.\(name)" }
        let size = try metadata.integer("", gguf: key("dimension_count")) ?? headSize
        try requireRotarySize(size, headSize, metadata, "", gguf: key("dimension_count"))
        let theta = try metadata.positive("", gguf: key("freq_base")) ?? defaultTheta
        let maxPositionCount = try metadata.optionalSize("", gguf: "context_length", limit: 1 << 30) ?? 0
        let original =
            try metadata.optionalSize("", gguf: key("scaling.original_context_length"), limit: 1 << 30)
            ?? maxPositionCount
        var result = RotaryParameters(
            theta: theta, rotarySize: size, headSize: headSize, maxPositionCount: maxPositionCount)
        // Older files store the factor under another key.
        let oldFactor = try metadata.number("", gguf: key("scale_linear"))
        var factor = try metadata.number("", gguf: key("scaling.factor")) ?? oldFactor ?? 0
        if factor < 0 { factor = 0 }
        let attentionFactor = try metadata.positive("", gguf: key("scaling.attn_factor")) ?? 1
        // As in llama.cpp, a missing type means linear and a missing factor one.
        switch try metadata.string("", gguf: key("scaling.type")) ?? "linear" {
        case "none": break
        case "linear":
            result.scaling = factor == 0 || factor == 1 ? .none : .linear(factor: factor)
        case "yarn":
            // `yarn_log_multiplier` is transformers' `mscale_all_dim`, beside an `mscale` of 1.
            let multiplier = try metadata.number("", gguf: key("scaling.yarn_log_multiplier")) ?? 0
            let factor = factor == 0 ? 1 : factor
            let magnitude = yarnMagnitude(factor: factor)
            result.scaling = .yarn(
                factor: factor, originalLength: original,
                betaFast: try metadata.positive("", gguf: key("scaling.yarn_beta_fast")) ?? 32,
                betaSlow: try metadata.positive("", gguf: key("scaling.yarn_beta_slow")) ?? 1,
                magnitude: attentionFactor * magnitude
                    / (multiplier == 0 ? 1 : yarnMagnitude(factor: factor, multiplier: multiplier)),
                isTruncated: true)
        case "longrope":
            // The divisors are tensors, which the builder reads; the magnitude is here.
            result.scaling = .longRope(
                short: Array(repeating: 1, count: size / 2), long: Array(repeating: 1, count: size / 2),
                originalLength: original, magnitude: attentionFactor)
        case let type:
            throw metadata.unsupported(
                "", gguf: key("scaling.type"), found: type, supported: "none, linear, yarn, longrope")
        }
        return result
    }
}
