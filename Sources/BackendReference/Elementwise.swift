import Backends

extension ReferencePlan {
    /// `output = function(input)`, element by element.
    func map(
        input: ValueID, output: ValueID, _ batch: borrowing ForwardBatch, _ function: (Float) -> Float
    ) {
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            for index in target.indices { target[index] = function(source[index]) }
        }
    }

    /// `activation` of `gate` and `up`.
    func gatedActivation(
        gate: ValueID, up: ValueID, activation: Activation, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        for row in 0..<rowCount(of: output, in: batch) {
            let gates = values[gate.index].row(row)
            let ups = values[up.index].row(row)
            let target = values[output.index].row(row)
            for index in target.indices {
                target[index] = Float(activation.applied(gate: Double(gates[index]), up: Double(ups[index])))
            }
        }
    }

    /// `left + right`.
    func add(left: ValueID, right: ValueID, output: ValueID, _ batch: borrowing ForwardBatch) {
        for row in 0..<rowCount(of: output, in: batch) {
            let (first, second) = (values[left.index].row(row), values[right.index].row(row))
            let target = values[output.index].row(row)
            for index in target.indices { target[index] = first[index] + second[index] }
        }
    }

    /// `input * (1 + beta * log(1 + floor(position / originalLength)))`. The factor is rounded to 32 bits first, as in
    /// transformers, so that backends agree exactly.
    func positionScale(
        input: ValueID, beta: Float, originalLength: Int, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let scale = PositionScale(beta: beta, originalLength: originalLength)
        for token in 0..<batch.tokenCount {
            let factor = scale.factor(
                at: Int(batch.positions[token]))
            let source = values[input.index].row(token)
            let target = values[output.index].row(token)
            for index in target.indices { target[index] = source[index] * factor }
        }
    }

    /// `input[:, offset ..< offset + width of output]`.
    func slice(input: ValueID, offset: Int, output: ValueID, _ batch: borrowing ForwardBatch) {
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            for index in target.indices { target[index] = source[offset + index] }
        }
    }

    /// Head `h` of the output: columns of `first`, columns of `second`, zeros.
    func concatHeads(
        first: HeadColumns, second: HeadColumns?, headCount: Int, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let headSize = plan[output].width / headCount
        for row in 0..<rowCount(of: output, in: batch) {
            let target = values[output.index].row(row)
            for index in target.indices { target[index] = 0 }
            for head in 0..<headCount {
                var start = head * headSize
                for part in [first, second].compactMap({ $0 }) {
                    let source = values[part.input.index].row(row)
                    for index in 0..<part.width {
                        target[start + index] = source[part.offset + head * part.stride + index]
                    }
                    start += part.width
                }
            }
        }
    }
}
