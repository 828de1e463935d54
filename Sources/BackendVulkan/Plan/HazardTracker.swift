import Backends

/// Finds where a barrier is needed: before memory is read or written that was written since the last barrier, and before
/// memory is written that was read since.
struct HazardTracker {
    private struct Span {
        let buffer: ObjectIdentifier
        let bytes: Range<Int>

        init(_ range: MemoryRange) {
            buffer = ObjectIdentifier(range.buffer)
            bytes = range.byteOffset..<range.byteOffset + range.byteCount
        }

        func overlaps(_ other: Span) -> Bool { buffer == other.buffer && bytes.overlaps(other.bytes) }
    }

    private var reads: [Span] = []
    private var writes: [Span] = []

    /// Whether the next phase, with these accesses, needs a barrier before it.
    mutating func needsBarrier(reading: [MemoryRange], writing: [MemoryRange]) -> Bool {
        let newReads = reading.map { Span($0) }
        let newWrites = writing.map { Span($0) }
        let isHazard =
            newReads.contains { read in writes.contains { $0.overlaps(read) } }
            || newWrites.contains { write in
                writes.contains { $0.overlaps(write) } || reads.contains { $0.overlaps(write) }
            }
        if isHazard {
            reads = []
            writes = []
        }
        reads += newReads
        writes += newWrites
        return isHazard
    }
}
