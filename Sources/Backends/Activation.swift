import CLibrary

/// The function of a gated activation, of which most are `f(gate) * up`.
public enum Activation: Sendable, Hashable {
    /// `x / (1 + exp(-x))` (Elfwing et al., arXiv 1702.03118).
    case silu
    /// `0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))`.
    case geluTanh
    /// `0.5 x (1 + erf(x / sqrt(2)))` (Hendrycks and Gimpel, arXiv 1606.08415).
    case gelu
    /// `max(x, 0)`.
    case relu
    /// `1 / (1 + exp(-x))`, as in gates of attention outputs.
    case sigmoid
    /// gpt-oss: `g / (1 + exp(-alpha g)) * (u + 1)`, where `g` is `gate`, at most `limit`, and `u` is `up`, from `-limit` to
    /// `limit`. NaN stays NaN.
    case clampedSwiGLU(alpha: Float, limit: Float)
}

/// The function of an activation without a gate.
public enum PointwiseActivation: Sendable, Hashable {
    /// As in `Activation`.
    case silu, geluTanh, gelu, relu, sigmoid
    /// `max(x, 0)²` (So et al., arXiv 2109.08668).
    case reluSquared
    /// xIELU (Huang and Schlag, arXiv 2411.13010; transformers' `XIELUActivation`):
    /// `alphaPositive x² + beta x` where `x > 0`, else `(expm1(min(x, epsilon)) - x) alphaNegative + beta x`.
    ///
    /// The factors are the effective ones: `alphaPositive = softplus(alpha_p)` and
    /// `alphaNegative = beta + softplus(alpha_n)` of a checkpoint's `alpha_p` and `alpha_n`. `epsilon` is negative.
    case xielu(alphaPositive: Float, alphaNegative: Float, beta: Float, epsilon: Float)
}

extension Activation {
    /// `f` of the activations that are `f(gate) * up`; nil for the others.
    public var pointwise: PointwiseActivation? {
        switch self {
        case .silu: .silu
        case .geluTanh: .geluTanh
        case .gelu: .gelu
        case .relu: .relu
        case .sigmoid: .sigmoid
        case .clampedSwiGLU: nil
        }
    }

    /// The activation of `gate` and `up` in double precision, which backends and their tests are compared with.
    public func applied(gate: Double, up: Double) -> Double {
        switch self {
        case .silu, .geluTanh, .gelu, .relu, .sigmoid: (pointwise?.applied(to: gate) ?? gate) * up
        case .clampedSwiGLU(let alpha, let limit):
            Self.clamped(gate, alpha: Double(alpha), limit: Double(limit))
                * (Self.clamped(up, to: Double(limit)) + 1)
        }
    }

    private static func clamped(_ gate: Double, alpha: Double, limit: Double) -> Double {
        let gate = gate > limit ? limit : gate
        return gate / (1 + exp(-alpha * gate))
    }

    private static func clamped(_ up: Double, to limit: Double) -> Double {
        up > limit ? limit : up < -limit ? -limit : up
    }
}

extension Activation: CustomStringConvertible {
    /// The name of `pointwise`, or `clamped_swiglu` with its numbers.
    public var description: String {
        switch self {
        case .silu, .geluTanh, .gelu, .relu, .sigmoid: pointwise.map { "\($0)" } ?? ""
        case .clampedSwiGLU(let alpha, let limit): "clamped_swiglu alpha \(alpha), limit \(limit)"
        }
    }
}

extension PointwiseActivation {
    /// The function of `x` in double precision, which backends and their tests are compared with.
    public func applied(to x: Double) -> Double {
        switch self {
        case .silu: x / (1 + exp(-x))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        // `erfc`, as `1 + erf` is a difference of nearly equal numbers where x is negative.
        case .gelu: 0.5 * x * erfc(-x / 2.0.squareRoot())
        case .relu: max(x, 0)
        case .sigmoid: 1 / (1 + exp(-x))
        case .reluSquared: max(x, 0) * max(x, 0)
        case .xielu(let alphaPositive, let alphaNegative, let beta, let epsilon):
            x > 0
                ? Double(alphaPositive) * x * x + Double(beta) * x
                : (expm1(min(x, Double(epsilon))) - x) * Double(alphaNegative) + Double(beta) * x
        }
    }
}

extension PointwiseActivation: CustomStringConvertible {
    /// The name that `Activation` has for it, `relu_squared`, or `xielu` with its numbers.
    public var description: String {
        switch self {
        case .silu: "silu"
        case .geluTanh: "gelu_tanh"
        case .gelu: "gelu"
        case .relu: "relu"
        case .sigmoid: "sigmoid"
        case .reluSquared: "relu_squared"
        case .xielu(let positive, let negative, let beta, let epsilon):
            "xielu \(positive)/\(negative), beta \(beta), epsilon \(epsilon)"
        }
    }
}
