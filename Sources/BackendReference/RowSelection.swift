import Backends

extension ReferencePlan {
    /// `output[t] = table[index[t]] * scale`.
    func embed(
        table: MatrixID, index: EmbeddingIndex, scale: Float, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let matrix = matrices[table.index]
        for token in 0..<batch.tokenCount {
            let row =
                switch index {
                case .tokens: Int(batch.tokenIDs[token])
                case .positions(let offset): min(Int(batch.positions[token]) + offset, matrix.rowCount - 1)
                }
            let source = matrix.row(row)
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
