import Backends
import SharedValues

/// The arrays of a batch, in memory that host and device address.
final class BatchBuffer {
    /// The arrays, one after another, which the host writes.
    enum Section: Int, CaseIterable {
        case tokenIDs, positions, slots, sampleRows, blockTables, tasks, reductions
        /// Sample rows whose most likely tokens the device looks for, each with its inverse temperature.
        case reducedSamples
    }

    /// Records of most likely tokens, which the device writes and the host reads.
    let candidates: MemoryRange
    private let buffer: VulkanBuffer
    private let offsets: [Int]
    private let counts: [Int]

    /// Room for `limits` over blocks of `blockSize` tokens; a task takes eight words, a reduction four.
    init(limits: BatchLimits, blockSize: Int, taskCount: Int, device: VulkanDevice) throws(BackendError) {
        let tableCount = limits.maxSequenceCount * limits.maxContextLength.dividedUp(by: blockSize)
        var offsets: [Int] = []
        var counts: [Int] = []
        var end = 0
        for section in Section.allCases {
            let count =
                switch section {
                case .tokenIDs, .positions, .slots: limits.maxTokenCount
                case .sampleRows: limits.maxSampleCount
                case .blockTables: tableCount
                case .tasks: taskCount * 8
                case .reductions: limits.maxSequenceCount * 4
                case .reducedSamples: limits.maxSampleCount * 2
                }
            counts.append(max(count, 4))
            offsets.append(end)
            end += (max(count, 4) * 4).roundedUp(to: MemoryPool.alignment)
        }
        self.offsets = offsets
        self.counts = counts
        func shared(_ byteCount: Int, _ location: MemoryTypes.Location) throws(BackendError) -> VulkanBuffer {
            let buffer = try VulkanBuffer(
                byteCount: byteCount, use: "batches", location: location, device: device, transfers: nil)
            guard buffer.hostPointer != nil else {
                throw .outOfMemory(use: "batches", byteCount: byteCount, available: 0)
            }
            return buffer
        }
        if let near = try? shared(end, .upload) {
            buffer = near
        } else {
            // The host can reach little of some devices' memory.
            buffer = try shared(end, .host)
        }
        let candidateByteCount = max(4, limits.maxSampleCount * CandidateTable.recordCount) * 4
        candidates = MemoryRange(
            buffer: try shared(candidateByteCount, .host), byteOffset: 0, byteCount: candidateByteCount)
    }

    func range(_ section: Section) -> MemoryRange {
        MemoryRange(buffer: buffer, byteOffset: offsets[section.rawValue], byteCount: counts[section.rawValue] * 4)
    }

    func words(_ section: Section) -> UnsafeMutableBufferPointer<UInt32> {
        let start = buffer.hostPointer.map { $0 + offsets[section.rawValue] }
        return UnsafeMutableBufferPointer(
            start: start?.assumingMemoryBound(to: UInt32.self), count: counts[section.rawValue])
    }

    /// Copies `numbers` to the start of `section`. Precondition: they fit.
    func write(_ numbers: [Int32], to section: Section) {
        precondition(numbers.count <= counts[section.rawValue], "more \(section) than the plan was prepared for")
        let target = words(section)
        for index in numbers.indices { target[index] = UInt32(bitPattern: numbers[index]) }
    }
}
