import Backends

extension ReferencePlan {
    /// `input · weightsᵀ + bias`.
    func linear(
        input: ValueID, weights: MatrixID, bias: VectorID?, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let matrix = matrices[weights.index]
        let biases = bias.map { plan[$0].elements }
        let rowCount = rowCount(of: output, in: batch)
        for index in 0..<matrix.rowCount {
            // A quantized row is dequantized once for all rows of the batch. That changes no sum.
            let weightRow = matrix.row(index)
            for row in 0..<rowCount {
                let sum = dot(values[input.index].row(row), weightRow) + Double(biases?[index] ?? 0)
                values[output.index].row(row)[index] = Float(sum)
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
