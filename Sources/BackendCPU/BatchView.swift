import Backends
import CPUKernels

/// A batch as bare pointers, for the threads that compute it.
struct BatchView {
    let tokenCount: Int
    let sampleCount: Int
    let tokenIDs: UnsafePointer<Int32>
    let positions: UnsafePointer<Int32>
    let slots: UnsafePointer<Int32>
    let blockTables: UnsafePointer<Int32>
    let blockTableStarts: UnsafePointer<Int32>
    let sampleRows: UnsafePointer<Int32>

    /// How many rows the values of `rows` have.
    @inline(__always)
    func rowCount(_ rows: PlanRows) -> Int {
        switch rows {
        case .tokens: tokenCount
        case .samples: sampleCount
        }
    }

    /// Lends the view of `batch`.
    static func with(_ batch: borrowing ForwardBatch, _ body: (BatchView) -> Void) {
        batch.tokenIDs.withUnsafeBufferPointer { tokenIDs in
            batch.positions.withUnsafeBufferPointer { positions in
                batch.slots.withUnsafeBufferPointer { slots in
                    batch.blockTables.withUnsafeBufferPointer { blockTables in
                        batch.blockTableStarts.withUnsafeBufferPointer { blockTableStarts in
                            batch.sampleRows.withUnsafeBufferPointer { sampleRows in
                                body(
                                    BatchView(
                                        tokenCount: tokenIDs.count, sampleCount: sampleRows.count,
                                        tokenIDs: pointer(tokenIDs), positions: pointer(positions),
                                        slots: pointer(slots), blockTables: pointer(blockTables),
                                        blockTableStarts: pointer(blockTableStarts), sampleRows: pointer(sampleRows)))
                            }
                        }
                    }
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
    }

    let elementType: quire_dtype
    let blockSize: Int
    /// One for each cache layer.
    let layers: UnsafeMutablePointer<Layer>
}
