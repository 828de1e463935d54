import Backends
import CVulkan
import SharedValues

extension VulkanPlan {
    func time(_ batch: borrowing ForwardBatch) throws(BackendError) -> [KernelTiming] {
        let program = try beginTiming(batch)
        let timer = try DispatchTimer(device, dispatchCount: program.phases.reduce(0) { $0 + $1.dispatches.count })
        var recorder = try recorder(timer)
        // What the rows of a step choose is known only behind the dispatch, and later ones may overwrite it.
        let choices = try choices(of: batch, in: program)
        var offset = 0
        for phase in program.phases {
            try record(phase, batch, into: &recorder)
            for dispatch in phase.dispatches {
                guard let chosen = dispatch.chosen, let choices else { continue }
                let byteCount = chosen.byteCount(rows: count(dispatch.rows, batch))
                recorder.copy(chosen.routes, to: choices, bytes: 0..<byteCount, at: offset)
                offset += byteCount
            }
        }
        try recorder.finish()
        var timings: [KernelTiming] = []
        let seconds = try timer.seconds()
        offset = 0
        for phase in program.phases {
            for dispatch in phase.dispatches {
                let rows = count(dispatch.rows, batch)
                let attention = dispatch.rows.group.map { tasks[$0] }
                let byteCount =
                    dispatch.byteCount + dispatch.bytesPerRow * rows
                    + dispatch.bytesPerPosition * (attention?.positionCount ?? 0)
                let start = offset
                if let chosen = dispatch.chosen { offset += chosen.byteCount(rows: rows) }
                guard rows > 0, let kernel = dispatch.kernel(forRows: rows) else { continue }
                let matrices = dispatch.chosen.flatMap { chosen in
                    choices?.hostPointer.map { pointer in
                        let numbers = (pointer + start).assumingMemoryBound(to: Float.self)
                        return chosen.byteCounts(
                            UnsafeBufferPointer(start: numbers, count: chosen.byteCount(rows: rows) / 4), rows: rows,
                            kernel)
                    }
                }
                timings.append(
                    KernelTiming(
                        kernel: kernel.pipeline.variant.name, label: dispatch.label, seconds: seconds[timings.count],
                        byteCount: byteCount + (matrices?.once ?? 0),
                        movedByteCount: matrices.map { byteCount + $0.moved },
                        operationCount: dispatch.workPerRow * rows
                            + dispatch.workPerScore * (attention?.scoreCount ?? 0)))
            }
        }
        return timings
    }

    /// Room for the choices of all dispatches that read chosen matrices; nil where there are none.
    private func choices(
        of batch: borrowing ForwardBatch, in program: Program
    ) throws(BackendError) -> VulkanBuffer? {
        var byteCount = 0
        for phase in program.phases {
            for dispatch in phase.dispatches {
                byteCount += dispatch.chosen?.byteCount(rows: count(dispatch.rows, batch)) ?? 0
            }
        }
        guard byteCount > 0 else { return nil }
        return try VulkanBuffer(
            byteCount: byteCount, use: "timing", location: .host, device: device, transfers: nil)
    }
}

extension ChosenMatrices {
    /// Bytes of the routes of `rows` rows.
    fileprivate func byteCount(rows: Int) -> Int { rows * Int(layout.stride) * 4 }
}
