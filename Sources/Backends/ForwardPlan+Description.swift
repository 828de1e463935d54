import Tensors

extension ForwardPlan: CustomStringConvertible {
    /// One line for each operation, in order: `%3 [tokens, 576] = rmsNorm(%2, model.norm.weight, epsilon 1e-05)`.
    public var description: String {
        operations.map { "\(result(of: $0))\(call(of: $0))\n" }.joined()
    }

    private func result(of operation: DeviceOperation) -> String {
        switch operation {
        case .embed(_, _, let output), .rmsNorm(_, _, _, let output), .linear(_, _, _, let output),
            .rotaryEmbedding(_, _, _, let output), .pagedAttention(_, _, _, let output),
            .gatedActivation(_, _, _, let output), .add(_, _, let output), .gather(_, let output),
            .softCap(_, _, let output):
            "\(output) [\(self[output].rows), \(self[output].width)] = "
        case .writeKV: ""
        }
    }

    private func call(of operation: DeviceOperation) -> String {
        switch operation {
        case .embed(let table, let scale, _):
            "embed(\(describe(table))\(scale == 1 ? "" : ", scale \(scale)"))"
        case .rmsNorm(let input, let weight, let epsilon, _):
            "rmsNorm(\(input), \(self[weight].name), epsilon \(epsilon))"
        case .linear(let input, let weights, let bias, _):
            "linear(\(input), \(describe(weights))\(bias.map { ", bias \(self[$0].name)" } ?? ""))"
        case .rotaryEmbedding(let input, let headSize, let rotary, _):
            "rotaryEmbedding(\(input), head \(headSize), \(rotary.frequencies.count) pairs of \(rotary.pairing))"
        case .writeKV(let layer, let key, let value):
            "writeKV(layer \(layer), \(key), \(value))"
        case .pagedAttention(let layer, let query, let attention, _):
            "pagedAttention(layer \(layer), \(query), heads \(attention.queryHeadCount)/"
                + "\(cacheLayers[layer].keyValueHeadCount) of \(cacheLayers[layer].headSize)"
                + (attention.slidingWindow.map { ", window \($0)" } ?? "")
                + (attention.softCap.map { ", cap \($0)" } ?? "") + ")"
        case .gatedActivation(let gate, let up, let activation, _): "gatedActivation(\(gate), \(up), \(activation))"
        case .add(let left, let right, _): "add(\(left), \(right))"
        case .gather(let input, _): "gather(\(input))"
        case .softCap(let input, let cap, _): "softCap(\(input), cap \(cap))"
        }
    }

    private func describe(_ matrix: MatrixID) -> String {
        let weights = self[matrix].weights
        return switch weights {
        case .dense(let tensor): "\(self[matrix].name) \(tensor.elementType) \(tensor.shape)"
        case .quantized(let packed):
            "\(self[matrix].name) \(packed.layout)\(packed.inputOrder == nil ? "" : ", reordered") "
                + "[\(packed.outputSize), \(packed.inputSize)]"
        }
    }
}

extension ValueID: CustomStringConvertible {
    /// `%3`.
    public var description: String { "%\(index)" }
}
