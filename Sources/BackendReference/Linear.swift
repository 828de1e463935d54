import Backends

extension ReferencePlan {
    /// `input · weightsᵀ + bias`.
    func linear(
        input: ValueID, weights: MatrixID, bias: VectorID?, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let matrix = matrices[weights.index]
        let biases = bias.map { plan[$0].elements }
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            for index in target.indices {
                let sum = dot(source, matrix.row(index)) + Double(biases?[index] ?? 0)
                target[index] = Float(sum)
            }
        }
    }
}

/// The sum of products, in index order.
func dot(_ left: UnsafeMutableBufferPointer<Float>, _ right: UnsafeMutableBufferPointer<Float>) -> Double {
    var sum = 0.0
    var index = 0
    while index < left.count {
        sum += Double(left[index]) * Double(right[index])
        index += 1
    }
    return sum
}
