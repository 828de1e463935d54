import Backends
import SharedValues

/// The arrays of a batch, in memory that host and device address.
final class BatchBuffer {
    /// The arrays, one after another, which the host writes. Most of those with a number belong to a cache group.
    enum Section: Hashable {
        case tokenIDs, positions, sampleRows
        /// Sample rows whose most likely tokens the device looks for, each with its inverse temperature.
        case reducedSamples
        case slots(Int), blockTables(Int), tasks(Int), reductions(Int)
        /// The lists of `AdapterTiles`.
        case adapters(Int)

        static func all(groupCount: Int) -> [Section] {
            [.tokenIDs, .positions, .sampleRows, .reducedSamples, .adapters(0), .adapters(1)]
                + (0..<groupCount).flatMap { [.slots($0), .blockTables($0), .tasks($0), .reductions($0)] }
        }

        /// Its number in `all`.
        var index: Int {
            switch self {
            case .tokenIDs: 0
            case .positions: 1
            case .sampleRows: 2
            case .reducedSamples: 3
            case .adapters(let list): 4 + list
            case .slots(let group): 6 + 4 * group
            case .blockTables(let group): 7 + 4 * group
            case .tasks(let group): 8 + 4 * group
            case .reductions(let group): 9 + 4 * group
            }
        }
    }

    /// Records of most likely tokens, which the device writes and the host reads.
    let candidates: MemoryRange
    private let buffer: VulkanBuffer
    private let offsets: [Int]
    private let counts: [Int]

    /// Room for `limits` and the cache `groups`; a task takes eight words, a reduction four.
    init(
        limits: BatchLimits, groups: [CacheGroup], taskCount: Int, adapters: AdapterTiles?, device: VulkanDevice
    ) throws(BackendError) {
        var offsets: [Int] = []
        var counts: [Int] = []
        var end = 0
        for section in Section.all(groupCount: groups.count) {
            let count =
                switch section {
                case .tokenIDs, .positions, .slots: limits.maxTokenCount
                case .sampleRows: limits.maxSampleCount
                case .blockTables(let group): groups[group].tableCount(limits)
                case .tasks: taskCount * 8
                case .reductions: limits.maxSequenceCount * 4
                case .reducedSamples: limits.maxSampleCount * 2
                case .adapters(let list): adapters?.wordCount(list: list) ?? 0
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
        MemoryRange(buffer: buffer, byteOffset: offsets[section.index], byteCount: counts[section.index] * 4)
    }

    func words(_ section: Section) -> UnsafeMutableBufferPointer<UInt32> {
        let start = buffer.hostPointer.map { $0 + offsets[section.index] }
        return UnsafeMutableBufferPointer(
            start: start?.assumingMemoryBound(to: UInt32.self), count: counts[section.index])
    }

    /// Copies `numbers` to the start of `section`. Precondition: they fit.
    func write(_ numbers: [Int32], to section: Section) {
        precondition(numbers.count <= counts[section.index], "more \(section) than the plan was prepared for")
        let target = words(section)
        for index in numbers.indices { target[index] = UInt32(bitPattern: numbers[index]) }
    }
}

extension CacheGroup {
    /// Maximum number of blocks in the tables of a batch: whole tables, or the window before each chunk and the chunks.
    fileprivate func tableCount(_ limits: BatchLimits) -> Int {
        let whole = limits.maxSequenceCount * blockCount(forTokens: limits.maxContextLength)
        guard let slidingWindow else { return whole }
        let beforeChunks =
            limits.maxSequenceCount * (blockCount(forTokens: min(slidingWindow, limits.maxContextLength)) + 2)
        return min(whole, beforeChunks + blockCount(forTokens: limits.maxTokenCount))
    }
}
