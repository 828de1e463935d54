import Backends

extension ReferencePlan {
    /// `x / sqrt(mean(x²) + epsilon) * weight` for each group of `weight.count` numbers of a row.
    func rmsNorm(
        input: ValueID, weight: VectorID, epsilon: Float, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let weights = plan[weight].elements
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            for start in stride(from: 0, to: source.count, by: weights.count) {
                var squares = 0.0
                for index in weights.indices {
                    let number = Double(source[start + index])
                    squares += number * number
                }
                let factor = 1 / (squares / Double(weights.count) + Double(epsilon)).squareRoot()
                for index in weights.indices {
                    target[start + index] = Float(Double(source[start + index]) * factor * Double(weights[index]))
                }
            }
        }
    }

    /// `(x - mean) / sqrt(variance + epsilon) * weight + bias` for each group of `groupSize` numbers of a row.
    func layerNorm(
        input: ValueID, weight: VectorID?, bias: VectorID?, groupSize: Int, epsilon: Float, output: ValueID,
        _ batch: borrowing ForwardBatch
    ) {
        let weights = weight.map { plan[$0].elements } ?? [1]
        let biases = bias.map { plan[$0].elements } ?? [0]
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            for start in stride(from: 0, to: source.count, by: groupSize) {
                let group = start..<start + groupSize
                let mean = group.reduce(0) { $0 + Double(source[$1]) } / Double(groupSize)
                let squares = group.reduce(0) { $0 + (Double(source[$1]) - mean) * (Double(source[$1]) - mean) }
                let factor = 1 / (squares / Double(groupSize) + Double(epsilon)).squareRoot()
                for index in group {
                    let normed = (Double(source[index]) - mean) * factor * Double(weights[index % weights.count])
                    target[index] = Float(normed + Double(biases[index % biases.count]))
                }
            }
        }
    }
}
