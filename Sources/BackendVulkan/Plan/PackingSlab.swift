import SharedValues

/// Where tiles lie between the host's layout and the device: a few megabytes, used again for every matrix, as an allocator
/// that gets and gives many such pieces keeps tens of megabytes for itself.
final class PackingSlab {
    private var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Bytes that are filled at once, if a single tile does not take more.
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
