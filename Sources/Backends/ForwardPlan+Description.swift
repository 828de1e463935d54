import Tensors

extension ForwardPlan: CustomStringConvertible {
    /// One line for each operation, in order: `%3 [tokens, 576] = rmsNorm(%2, model.norm.weight, epsilon 1e-05)`.
    public var description: String {
        operations.map { describe($0) + "\n" }.joined()
    }

    func describe(_ operation: DeviceOperation) -> String { result(of: operation) + call(of: operation) }

    private func result(of operation: DeviceOperation) -> String {
        operation.output.map { "\($0) [\(self[$0].rows), \(self[$0].width)] = " } ?? ""
    }

    private func call(of operation: DeviceOperation) -> String {
        switch operation {
        case .embed(let table, let index, let scale, _):
            "embed(\(describe(table))\(describe(index))\(scale == 1 ? "" : ", scale \(scale)"))"
        case .rmsNorm(let input, let weight, let epsilon, _):
            "rmsNorm(\(input), \(self[weight].name), epsilon \(epsilon))"
        case .layerNorm(let input, let weight, let bias, let groupSize, let epsilon, _):
            "layerNorm(\(input), groups of \(groupSize)"
                + (weight.map { ", \(self[$0].name)" } ?? "") + (bias.map { ", bias \(self[$0].name)" } ?? "")
                + ", epsilon \(epsilon))"
        case .linear(let input, let weights, let bias, _):
            "linear(\(input), \(describe(weights))\(bias.map { ", bias \(self[$0].name)" } ?? ""))"
        case .route(let logits, let bias, let factors, let routing, _):
            "route(\(logits), \(routing.choiceCount) of \(routing.expertCount), \(routing.scoring)"
                + (routing.isNormalized ? ", normalized" : "")
                + (routing.groups.map { ", \($0.chosenCount) of \($0.count) groups" } ?? "")
                + (routing.scale == 1 ? "" : ", scale \(routing.scale)")
                + (bias.map { ", bias \(self[$0].name)" } ?? "")
                + (factors.map { ", factors \(self[$0].name)" } ?? "") + ")"
        case .selectedLinear(let input, let set, let bias, let selector, _):
            "selectedLinear(\(input), \(self[set].count) of \(describe(self[set]))"
                + "\(bias.map { ", bias \(self[$0].name)" } ?? ""), \(describe(selector)))"
        case .weightedSum(let input, let routes, _): "weightedSum(\(input), \(routes))"
        case .rotaryEmbedding(let input, let headSize, let rotary, _):
            "rotaryEmbedding(\(input), head \(headSize), \(rotary.frequencies.count) pairs of \(rotary.pairing))"
        case .writeKV(let layer, let key, let value):
            "writeKV(layer \(layer), \(key), \(value))"
        case .pagedAttention(let layer, let query, let attention, _):
            "pagedAttention(layer \(layer), \(query), heads \(attention.queryHeadCount)/"
                + "\(cacheLayers[layer].keyValueHeadCount) of \(cacheLayers[layer].headSize)"
                + (attention.slidingWindow.map { ", window \($0)" } ?? "")
                + (attention.softCap.map { ", cap \($0)" } ?? "")
                + (attention.sinks.map { ", sinks \(self[$0].name)" } ?? "") + ")"
        case .gatedActivation(let gate, let up, let activation, _): "gatedActivation(\(gate), \(up), \(activation))"
        case .activation(let input, let activation, _): "activation(\(input), \(activation))"
        case .scale(let input, let factor, _): "scale(\(input), \(factor))"
        case .positionScale(let input, let beta, let originalLength, _):
            "positionScale(\(input), beta \(beta), length \(originalLength))"
        case .slice(let input, let offset, _): "slice(\(input), from column \(offset))"
        case .concatHeads(let first, let second, let headCount, _):
            "concatHeads(\(headCount) heads, \(describe(first))\(second.map { ", \(describe($0))" } ?? ""))"
        case .add(let left, let right, _): "add(\(left), \(right))"
        case .gather(let input, _): "gather(\(input))"
        case .softCap(let input, let cap, _): "softCap(\(input), cap \(cap))"
        }
    }

    private func describe(_ set: PlanMatrixSet) -> String {
        set.slots.map { "\(set.name) \($0.elementType) [\($0.outputSize), \($0.inputSize)]" }
            ?? describe(set.matrices[0], set.name)
    }

    private func describe(_ selector: MatrixSelector) -> String {
        switch selector {
        case .routes(let routes): "\(routes)"
        case .adapters(let addend): "adapters\(addend.map { " + \($0)" } ?? "")"
        }
    }

    private func describe(_ columns: HeadColumns) -> String {
        "\(columns.width) of \(columns.input) from column \(columns.offset)"
            + (columns.stride == 0 ? "" : " every \(columns.stride)")
    }

    private func describe(_ index: EmbeddingIndex) -> String {
        switch index {
        case .tokens: ""
        case .positions(let offset): offset == 0 ? ", at positions" : ", at positions + \(offset)"
        }
    }

    private func describe(_ id: MatrixID) -> String {
        let rows = self[id].rows.map { $0.map { "\($0)" }.joined(separator: ", ") }
        return describe(self[id].weights, self[id].name + (rows.map { " (rows \($0))" } ?? ""))
    }

    private func describe(_ weights: LinearWeights, _ name: String) -> String {
        switch weights {
        case .dense(let tensor): "\(name) \(tensor.elementType) \(tensor.shape)"
        case .quantized(let matrix):
            "\(name) \(matrix.layout)\(matrix.inputOrder == nil ? "" : ", reordered") "
                + "[\(matrix.outputSize), \(matrix.inputSize)]"
        }
    }
}

extension ValueID: CustomStringConvertible {
    /// `%3`.
    public var description: String { "%\(index)" }
}
