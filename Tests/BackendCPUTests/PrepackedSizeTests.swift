import Backends
import Tensors
import Testing

@testable import BackendCPU

@Suite struct PrepackedSizeTests {
    /// Rows that are only measured.
    private struct UnreadRows: QuantizedRows {
        func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {}
        func unload() {}
    }

    /// IQ3_XXS has the largest ratio: it has room for ninth bits of indices, as IQ3_S, and for eight signs, not seven.
    @Test("Prepacked blocks take at most 1.13 times their bytes in the file", arguments: BlockFormat.allCases)
    func blocksStaySmall(format: BlockFormat) throws {
        let pool = MemoryPool(device: try CPUBackend(threadCount: 1), budgetByteCount: 1 << 20)
        let matrix = QuantizedMatrix(
            outputSize: 64, inputSize: 2048, layout: .blocks(format), computeType: .bf16, rows: UnreadRows())
        let prepacked = try QuantizedFormat(matrix, grids: GridTables(of: [], pool: pool)).panelByteCount
        #expect(Double(prepacked) <= 1.13 * Double(64 * matrix.rowByteCount), "\(format)")
    }
}
