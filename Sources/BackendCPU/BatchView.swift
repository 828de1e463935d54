import Backends
import CPUKernels

/// A batch as bare pointers, for the threads that compute it.
struct BatchView {
    /// Slots and block tables of one cache group.
    struct Group {
        let slots: UnsafePointer<Int32>
        let blockTables: UnsafePointer<Int32>
        let blockTableStarts: UnsafePointer<Int32>
    }

    let tokenCount: Int
    let sampleCount: Int
    let tokenIDs: UnsafePointer<Int32>
    let positions: UnsafePointer<Int32>
    let sampleRows: UnsafePointer<Int32>
    /// The adapter slot of each token, -1 for none; nil where no token has one.
    let adapterSlots: UnsafePointer<Int32>?
    /// One for each cache group.
    let groups: UnsafePointer<Group>

    /// How many rows the values of `rows` have.
    @inline(__always)
    func rowCount(_ rows: PlanRows) -> Int {
        switch rows {
        case .tokens: tokenCount
        case .samples: sampleCount
        }
    }

    /// Lends the view of `batch`, with its groups in `groups`. Precondition: `groups` has room for all of them.
    static func with(
        _ batch: borrowing ForwardBatch, groups: UnsafeMutablePointer<Group>, _ body: (BatchView) -> Void
    ) {
        batch.tokenIDs.withUnsafeBufferPointer { tokenIDs in
            batch.positions.withUnsafeBufferPointer { positions in
                batch.sampleRows.withUnsafeBufferPointer { sampleRows in
                    batch.adapterSlots.withUnsafeBufferPointer { adapterSlots in
                        fill(groups, from: 0, of: batch.groups) {
                            body(
                                BatchView(
                                    tokenCount: tokenIDs.count, sampleCount: sampleRows.count,
                                    tokenIDs: pointer(tokenIDs), positions: pointer(positions),
                                    sampleRows: pointer(sampleRows),
                                    adapterSlots: adapterSlots.isEmpty ? nil : pointer(adapterSlots),
                                    groups: UnsafePointer(groups)))
                        }
                    }
                }
            }
        }
    }

    /// Fills in the groups from number `index` on, and calls `body` while all of them are lent.
    private static func fill(
        _ groups: UnsafeMutablePointer<Group>, from index: Int, of batchGroups: [ForwardBatch.Group],
        _ body: () -> Void
    ) {
        guard index < batchGroups.count else { return body() }
        batchGroups[index].slots.withUnsafeBufferPointer { slots in
            batchGroups[index].blockTables.withUnsafeBufferPointer { blockTables in
                batchGroups[index].blockTableStarts.withUnsafeBufferPointer { starts in
                    groups[index] = Group(
                        slots: pointer(slots), blockTables: pointer(blockTables), blockTableStarts: pointer(starts))
                    fill(groups, from: index + 1, of: batchGroups, body)
                }
            }
        }
    }

    /// An empty array may have no address; nothing is read from it then.
    private static func pointer(_ buffer: UnsafeBufferPointer<Int32>) -> UnsafePointer<Int32> {
        buffer.baseAddress ?? UnsafePointer(bitPattern: MemoryLayout<Int32>.alignment).unsafelyUnwrapped
    }
}

/// The attached key/value cache as bare pointers.
struct CacheView {
    struct Layer {
        let keys: UnsafeMutableRawPointer
        let values: UnsafeMutableRawPointer
        /// The number of its cache group.
        let group: Int
        /// Tokens in a block.
        let blockSize: Int
        /// Numbers (bytes of int8) from one block to the next.
        let blockStride: Int
    }

    let elementType: quire_dtype
    /// One for each cache layer.
    let layers: UnsafeMutablePointer<Layer>
}
