import Backends
import SharedValues

extension ProgramBuilder {
    /// The most likely tokens of rows whose logits the host does not need: of each segment, then of all.
    mutating func reduceSamples() throws(BackendError) {
        guard let found = memory.segments, let logits = plan.logits else { return }
        let width = plan[logits].width
        let segments = KernelShapes.segments(width: width)
        let rows = batch.range(.reducedSamples)
        let results = batch.candidates
        let search = Dispatch(
            choices: try kernel(
                .candidatesSegment, KernelShapes.candidateConstants(itemCount: segments.size), bindingCount: 3),
            bindings: [rows, memory.logits, found],
            constants: [UInt32(width), UInt32(segments.size), UInt32(segments.count)], rows: .reducedSamples,
            groupCount: segments.count, label: "candidates \(width)",
            bytesPerRow: (width + segments.count * CandidateTable.recordCount) * 4, workPerRow: 4 * width)
        append([search], reading: [memory.logits], writing: [found])
        let itemCount = segments.count * RankedTokens.maximumCount
        let merge = Dispatch(
            choices: try kernel(
                .candidatesMerge, KernelShapes.candidateConstants(itemCount: itemCount), bindingCount: 3),
            bindings: [rows, found, results], constants: [UInt32(segments.count)], rows: .reducedSamples,
            groupCount: 1, label: "candidates, merged",
            bytesPerRow: (segments.count + 1) * CandidateTable.recordCount * 4)
        append([merge], reading: [found], writing: [results])
    }
}
