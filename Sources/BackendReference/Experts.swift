import Backends

extension ReferencePlan {
    /// `routing` of each row of `logits`.
    func route(
        logits: ValueID, bias: VectorID?, factors: VectorID?, routing: ExpertRouting, output: ValueID,
        _ batch: borrowing ForwardBatch
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: routing.scratchCount) { scratch in
            guard let scratch = scratch.baseAddress else { return }
            (bias.map { plan[$0].elements } ?? []).withUnsafeBufferPointer { bias in
                (factors.map { plan[$0].elements } ?? []).withUnsafeBufferPointer { factors in
                    for row in 0..<rowCount(of: output, in: batch) {
                        guard let source = values[logits.index].row(row).baseAddress,
                            let target = values[output.index].row(row).baseAddress
                        else { return }
                        routing.route(
                            source, bias: bias.isEmpty ? nil : bias.baseAddress,
                            factors: factors.isEmpty ? nil : factors.baseAddress, to: target, scratch: scratch)
                    }
                }
            }
        }
    }

    /// `input · set[e]ᵀ + bias[e]` for each choice `e` of each row.
    func selectedLinear(
        input: ValueID, set: MatrixSetID, bias: VectorID?, routes: ValueID, output: ValueID,
        _ batch: borrowing ForwardBatch
    ) {
        let matrices = matrixSets[set.index]
        let biases = bias.map { plan[$0].elements }
        let (inputSize, outputSize) = (plan[set].inputSize, plan[set].outputSize)
        let isShared = plan[input].width == inputSize
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            for choice in 0..<plan[routes].width / 2 {
                let number = Int(values[routes.index].row(row)[choice])
                let first = isShared ? 0 : choice * inputSize
                let numbers = UnsafeMutableBufferPointer(rebasing: source[first..<first + inputSize])
                for index in 0..<outputSize {
                    let sum = dot(numbers, matrices[number].row(index))
                    target[choice * outputSize + index] = Float(sum + Double(biases?[number * outputSize + index] ?? 0))
                }
            }
        }
    }

    /// `addend + input · matrixᵀ` with the matrix in the adapter slot of each row; without one, `addend` or zeros.
    func adapterLinear(
        input: ValueID, set: MatrixSetID, addend: ValueID?, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let matrices = adapters[set]
        let inputSize = plan[set].inputSize
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            let slot = batch.adapterSlots.isEmpty ? -1 : Int(batch.adapterSlots[row])
            let matrix = slot < 0 ? nil : matrices?[slot]
            for index in target.indices {
                var sum = addend.map { Double(values[$0.index].row(row)[index]) } ?? 0
                if let matrix {
                    for column in 0..<inputSize {
                        sum += Double(source[column]) * Double(matrix[index * inputSize + column])
                    }
                }
                target[index] = Float(sum)
            }
        }
    }

    /// The choices of a route times their weights, added in order.
    func weightedSum(input: ValueID, routes: ValueID, output: ValueID, _ batch: borrowing ForwardBatch) {
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let route = values[routes.index].row(row)
            let target = values[output.index].row(row)
            let choiceCount = route.count / 2
            for index in target.indices {
                var sum = 0.0
                for choice in 0..<choiceCount {
                    sum += Double(route[choiceCount + choice]) * Double(source[choice * target.count + index])
                }
                target[index] = Float(sum)
            }
        }
    }
}
