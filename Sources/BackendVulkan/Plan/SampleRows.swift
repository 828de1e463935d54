import Backends

/// Which sample rows of a batch the device reduces, and which go to the host whole.
struct SampleRows {
    /// For each sample row the number of its record, or -1 where the host gets its logits.
    private(set) var recordIndices: [Int32] = []
    /// Rows that the device reduces.
    private(set) var reducedCount = 0

    /// Writes the rows that the device reduces. `isReducing`: whether the plan has kernels for it.
    mutating func write(_ batch: borrowing ForwardBatch, into buffer: BatchBuffer, isReducing: Bool) {
        recordIndices.removeAll(keepingCapacity: true)
        reducedCount = 0
        let rows = buffer.words(.reducedSamples)
        for index in batch.sampleRows.indices {
            guard isReducing, !batch.rowRequests.isEmpty,
                let inverseTemperature = batch.rowRequests[index].inverseTemperature
            else {
                recordIndices.append(-1)
                continue
            }
            recordIndices.append(Int32(truncatingIfNeeded: reducedCount))
            rows[reducedCount * 2] = UInt32(index)
            rows[reducedCount * 2 + 1] = inverseTemperature.bitPattern
            reducedCount += 1
        }
    }

    /// Calls `body` with each run of neighbouring rows whose logits go to the host.
    func forEachWholeRun(_ body: (Range<Int>) -> Void) {
        var start = 0
        while start < recordIndices.count {
            var end = start
            while end < recordIndices.count, recordIndices[end] < 0 { end += 1 }
            if end > start { body(start..<end) }
            start = end + 1
        }
    }
}
