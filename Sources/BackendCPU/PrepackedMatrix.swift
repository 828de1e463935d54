import Backends
import CPUKernels
import Tensors

/// A weight matrix in pool memory, in the layout that its kernels read.
struct PrepackedMatrix {
    /// The order of the numbers in memory. Single rows can be read out of each layout.
    enum Layout {
        /// Row-major.
        case rows(ElementType)
        /// Panels of 64 outputs (`quire_prepack`).
        case panels(ElementType)
        /// Panels of 64 outputs in codes and scales (`quire_prepack_quantized`).
        case quantized(quire_quantized)
    }

    /// `[outputSize, inputSize]`.
    let outputSize: Int
    let inputSize: Int
    let layout: Layout
    let range: MemoryRange

    /// Copies `weights` into memory of `pool`: in panels if a linear operation reads them, row-major if only rows
    /// are looked up. A matrix with both uses has one copy, in panels. Quantized weights are always in panels. `grids`
    /// must live as long as the matrix.
    init(
        _ weights: LinearWeights, asPanels: Bool, grids: GridTables, pool: MemoryPool, workers: WorkerPool
    ) throws(BackendError) {
        outputSize = weights.outputSize
        inputSize = weights.inputSize
        switch weights {
        case .dense(let tensor) where asPanels:
            let type = tensor.elementType
            layout = .panels(type)
            range = try pool.allocate(
                byteCount: quire_prepacked_byte_count(type.kernelType, outputSize, inputSize), for: .weights)
            workers.run(DensePrepacking(tensor, target: range.start))
        case .dense(let tensor):
            layout = .rows(tensor.elementType)
            range = try pool.allocate(byteCount: tensor.byteCount, for: .weights)
            let target = range.start
            tensor.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                target.copyMemory(from: source, byteCount: bytes.count)
            }
        case .quantized(let matrix):
            let format = try QuantizedFormat(matrix, grids: grids)
            layout = .quantized(format.matrix)
            range = try pool.allocate(
                byteCount: quire_panel_count(outputSize) * format.panelByteCount, for: .weights)
            workers.run(QuantizedPrepacking(matrix, format, target: range.start))
        }
        weights.unload()
    }
}

/// Prepacking as work for a team. Each thread takes a run of panels and is the first to touch their pages, so that
/// their memory is near to it.
private final class DensePrepacking: TeamWork {
    private let tensor: HostTensor
    private let target: UnsafeMutableRawPointer

    init(_ tensor: HostTensor, target: UnsafeMutableRawPointer) {
        self.tensor = tensor
        self.target = target
    }

    func perform(thread: Int, of team: WorkerTeam) {
        let (outputSize, inputSize) = (tensor.shape[0], tensor.shape[1])
        let panels = share(of: quire_panel_count(outputSize), thread: thread, threadCount: team.threadCount)
        tensor.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            quire_prepack(
                tensor.elementType.kernelType, source, inputSize, outputSize, inputSize, target, panels.lowerBound,
                panels.upperBound)
        }
    }
}

/// The same for quantized weights: the stored rows of a panel are read, unpacked if they are blocks, then prepacked.
private final class QuantizedPrepacking: TeamWork {
    private let matrix: QuantizedMatrix
    private let format: QuantizedFormat
    private let target: UnsafeMutableRawPointer

    init(_ matrix: QuantizedMatrix, _ format: QuantizedFormat, target: UnsafeMutableRawPointer) {
        self.matrix = matrix
        self.format = format
        self.target = target
    }

    func perform(thread: Int, of team: WorkerTeam) {
        let width = Int(quire_panel_width)
        let panels = share(of: quire_panel_count(matrix.outputSize), thread: thread, threadCount: team.threadCount)
        let (storedByteCount, unpackedByteCount) = (matrix.rowByteCount, format.unpackedRowByteCount)
        let rowByteCount = unpackedByteCount ?? storedByteCount
        withUnsafeTemporaryAllocation(byteCount: width * (storedByteCount + rowByteCount), alignment: 64) { rows in
            guard let stored = rows.baseAddress else { return }
            let unpacked = stored + width * storedByteCount
            for panel in panels {
                let first = panel * width
                let rowCount = min(width, matrix.outputSize - first)
                matrix.read(first..<first + rowCount, into: stored)
                if unpackedByteCount != nil {
                    for row in 0..<rowCount {
                        format.unpack(stored + row * storedByteCount, to: unpacked + row * rowByteCount)
                    }
                }
                withUnsafePointer(to: format.matrix) {
                    quire_prepack_quantized(
                        $0, format.stored, unpackedByteCount == nil ? stored : unpacked, rowByteCount, target, panel)
                }
            }
        }
    }
}
