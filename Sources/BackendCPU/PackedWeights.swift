import Backends
import CPUKernels
import Tensors

/// A weight matrix in pool memory, in the layout that its readers want.
struct PackedWeights: Sendable {
    /// How each number is stored; the checkpoint's type.
    let elementType: ElementType
    /// `[outputSize, inputSize]`.
    let outputSize: Int
    /// Columns of the matrix.
    let inputSize: Int
    /// Whether it lies in panels (`quire_pack`) or row-major. Rows can be read out of both.
    let isPacked: Bool
    /// The numbers.
    let range: MemoryRange

    /// Copies `weights` into memory of `pool`: in panels if a linear operation reads them, row-major if only rows
    /// are looked up. One copy serves both.
    init(
        _ weights: LinearWeights, asPanels: Bool, pool: MemoryPool, workers: WorkerPool
    ) throws(BackendError) {
        switch weights {
        case .dense(let tensor):
            elementType = tensor.elementType
            outputSize = weights.outputSize
            inputSize = weights.inputSize
            isPacked = asPanels
            let byteCount =
                asPanels
                ? quire_packed_byte_count(elementType.kernelType, outputSize, inputSize) : tensor.byteCount
            range = try pool.allocate(byteCount: byteCount, for: .weights)
            let target = range.start
            tensor.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                if asPanels {
                    workers.run(
                        Packing(
                            elementType: elementType, source: source, outputSize: outputSize, inputSize: inputSize,
                            target: target))
                } else {
                    target.copyMemory(from: source, byteCount: byteCount)
                }
            }
        }
    }

    /// Packing as work for a team: each thread takes a run of panels, and so is the first to touch their pages.
    private final class Packing: TeamWork {
        let elementType: ElementType
        let source: UnsafeRawPointer
        let outputSize: Int
        let inputSize: Int
        let target: UnsafeMutableRawPointer

        init(
            elementType: ElementType, source: UnsafeRawPointer, outputSize: Int, inputSize: Int,
            target: UnsafeMutableRawPointer
        ) {
            self.elementType = elementType
            self.source = source
            self.outputSize = outputSize
            self.inputSize = inputSize
            self.target = target
        }

        func perform(thread: Int, of team: WorkerTeam) {
            let panels = share(of: quire_panel_count(outputSize), thread: thread, threadCount: team.threadCount)
            quire_pack(
                elementType.kernelType, source, inputSize, outputSize, inputSize, target, panels.lowerBound,
                panels.upperBound)
        }
    }
}

/// The part of `count` things that falls to `thread`: runs of equal length, give or take one.
@inline(__always)
func share(of count: Int, thread: Int, threadCount: Int) -> Range<Int> {
    (count * thread / threadCount)..<(count * (thread + 1) / threadCount)
}
