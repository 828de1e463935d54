import SharedValues

/// Host memory for encoded tiles on their way to the device: a few megabytes that every matrix uses again. Allocated anew
/// each time, the allocator would keep tens of megabytes.
final class TileStaging {
    private var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Bytes that are encoded at once, unless a single tile takes more.
    static let byteCount = 4 << 20

    deinit { bytes.deallocate() }

    /// Room for `byteCounts`, side by side; what was there before is gone.
    func parts(_ byteCounts: [Int]) -> [UnsafeMutableRawBufferPointer] {
        let total = byteCounts.reduce(0) { $0 + $1.roundedUp(to: 64) }
        if total > bytes.count {
            bytes.deallocate()
            bytes = .allocate(byteCount: max(total, Self.byteCount + 64 * byteCounts.count), alignment: 64)
        }
        var end = 0
        return byteCounts.map { count in
            defer { end += count.roundedUp(to: 64) }
            return UnsafeMutableRawBufferPointer(rebasing: bytes[end..<end + count])
        }
    }
}
