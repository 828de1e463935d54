import Backends

extension ReferencePlan {
    /// `output[t] = table[tokenIDs[t]] * scale`.
    func embed(table: MatrixID, scale: Float, output: ValueID, _ batch: borrowing ForwardBatch) {
        for token in 0..<batch.tokenCount {
            let source = matrices[table.index].row(Int(batch.tokenIDs[token]))
            let target = values[output.index].row(token)
            for index in target.indices { target[index] = source[index] * scale }
        }
    }

    /// `output[s] = input[sampleRows[s]]`.
    func gather(input: ValueID, output: ValueID, _ batch: borrowing ForwardBatch) {
        for sample in 0..<batch.sampleRows.count {
            let source = values[input.index].row(Int(batch.sampleRows[sample]))
            let target = values[output.index].row(sample)
            for index in target.indices { target[index] = source[index] }
        }
    }
}
