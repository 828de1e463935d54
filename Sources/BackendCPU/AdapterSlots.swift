import Backends
import CPUKernels
import SharedValues
import Tensors

/// The slots of one matrix set of adapters, in pool memory.
///
/// The first matrix of an adapter has few outputs, so it is stored row by row; panels would be zeros for the most part.
/// The second one is prepacked in panels.
struct AdapterSlots {
    /// Outputs of a row-major matrix that a thread takes at once.
    static let rowMajorPanelWidth = 4

    let slots: MatrixSlots
    let isRowMajor: Bool
    /// One matrix after another.
    private let matrices: MemoryRange
    /// The address of each matrix, `[count]`.
    let addresses: UnsafePointer<UnsafeRawPointer>
    /// Whether a slot has a matrix, `[count]`.
    let isPresent: UnsafeMutablePointer<Bool>
    let memory: [MemoryRange]

    /// Takes memory for `slots` from `pool`.
    init(_ slots: MatrixSlots, pool: MemoryPool) throws(BackendError) {
        self.slots = slots
        isRowMajor = slots.outputSize <= Int(quire_panel_width) / 2
        let byteCount =
            isRowMajor
            ? slots.outputSize * slots.inputSize * slots.elementType.byteCount
            : quire_prepacked_byte_count(slots.elementType.kernelType, slots.outputSize, slots.inputSize)
        let stride = byteCount.roundedUp(to: 64)
        matrices = try pool.allocate(byteCount: stride * slots.count, for: .weights)
        let table = try pool.allocate(
            byteCount: slots.count * (MemoryLayout<UnsafeRawPointer>.stride + 1), for: .weights)
        let addresses = table.start.bindMemory(to: UnsafeRawPointer.self, capacity: slots.count)
        isPresent = (table.start + slots.count * MemoryLayout<UnsafeRawPointer>.stride)
            .bindMemory(to: Bool.self, capacity: slots.count)
        for slot in 0..<slots.count {
            (addresses + slot).initialize(to: UnsafeRawPointer(matrices.start + slot * stride))
            (isPresent + slot).initialize(to: false)
        }
        self.addresses = UnsafePointer(addresses)
        memory = [matrices, table]
    }

    /// Puts `matrix`, `[outputSize, inputSize]`, into a slot; nil empties it.
    func set(_ matrix: HostTensor?, slot: Int) {
        isPresent[slot] = matrix != nil
        guard let matrix else { return }
        precondition(matrix.shape == [slots.outputSize, slots.inputSize], "an adapter's matrix of another shape")
        let type = slots.elementType
        let tensor = matrix.elementType == type ? matrix : HostTensor(matrix.floats(), shape: matrix.shape, as: type)
        let target = UnsafeMutableRawPointer(mutating: addresses[slot])
        tensor.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            if isRowMajor {
                target.copyMemory(from: source, byteCount: bytes.count)
            } else {
                quire_prepack(
                    type.kernelType, source, slots.inputSize, slots.outputSize, slots.inputSize, target, 0,
                    quire_panel_count(slots.outputSize))
            }
        }
    }
}
