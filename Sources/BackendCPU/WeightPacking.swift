import Backends
import CPUKernels
import Tensors

/// Packing as work for a team: each thread takes a run of panels, and so is the first to touch their pages.
final class DensePacking: TeamWork {
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
            quire_pack(
                tensor.elementType.kernelType, source, inputSize, outputSize, inputSize, target, panels.lowerBound,
                panels.upperBound)
        }
    }
}

/// The same for packed weights: the rows of a panel are read, then laid out anew.
final class QuantizedPacking: TeamWork {
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
        withUnsafeTemporaryAllocation(byteCount: width * matrix.rowByteCount, alignment: 64) { rows in
            guard let rows = rows.baseAddress else { return }
            for panel in panels {
                let first = panel * width
                matrix.read(first..<min(first + width, matrix.outputSize), into: rows)
                withUnsafePointer(to: format.matrix) {
                    quire_pack_quantized($0, format.stored, rows, matrix.rowByteCount, target, panel)
                }
            }
        }
    }
}

/// The part of `count` things that falls to `thread`: runs of equal length, give or take one.
@inline(__always)
func share(of count: Int, thread: Int, threadCount: Int) -> Range<Int> {
    (count * thread / threadCount)..<(count * (thread + 1) / threadCount)
}
