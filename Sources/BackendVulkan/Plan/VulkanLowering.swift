import Backends
import Lowering
import Tensors

typealias FusedOperation = Lowering.FusedOperation<QuantizedActivations>

/// What the kernels of a Vulkan device fuse and read, for the passes of `Lowering`.
struct VulkanLowering: LoweringTarget {
    /// How wide rows may be that several linear operations share, in numbers.
    var maxJoinedWidth = Int.max
    /// Scratch memory is split into arenas that the device can address.
    var maxArenaByteCount = Int.max
    /// Limbs of the integers that quantized weights are multiplied with; nil: activations stay floats.
    var limbCount: Int?

    var fusesHeads: Bool { true }
    /// Outputs of a matrix are computed in tiles.
    var joinUnit: Int { DeviceMatrix.tile }
    /// Kernels read rows in units of four numbers, and sixteen bytes of weights belong to eight.
    var rowUnit: Int { 8 }
    var reordersWhileConverting: Bool { false }

    func inputFormats(
        for operations: [FusedOperation], of plan: ForwardPlan
    ) throws(BackendError) -> [MatrixID: QuantizedActivations] {
        guard let limbCount else { return [:] }
        var formats: [MatrixID: QuantizedActivations] = [:]
        for case .linear(_, let parts) in operations {
            // The matrices of one operation are stored alike.
            guard case .quantized(let matrix) = plan[parts[0].weights].weights else { continue }
            let format = try QuantizedFormat(matrix.layout, inputSize: matrix.inputSize)
            guard let quantized = QuantizedActivations(count: limbCount, for: format) else { continue }
            for part in parts { formats[part.weights] = quantized }
        }
        return formats
    }

    func inputFormat(of set: PlanMatrixSet) throws(BackendError) -> QuantizedActivations? {
        guard let limbCount, case .quantized(let matrix) = set.matrices[0] else { return nil }
        return QuantizedActivations(
            count: limbCount, for: try QuantizedFormat(matrix.layout, inputSize: matrix.inputSize))
    }

    /// Parts of whole slices.
    func convertsAsOneRow(_ format: QuantizedActivations, partWidth: Int) -> Bool {
        partWidth % QuantizedFormat.slice == 0
    }

    func wordCount(of format: QuantizedActivations, width: Int) -> Int { format.width(inputSize: width) }

    func canWrite(_ format: QuantizedActivations, from operation: FusedOperation, of plan: ForwardPlan) -> Bool {
        switch operation {
        case .addNorm(_, _, _, _, _, nil, _), .gated(_, _, _, nil, _): true
        case .attention(let layer, _, _, _, nil):
            QuantizedActivations.areMade(ofHeads: plan.cacheLayers[layer].headSize)
        default: false
        }
    }

    /// Each operation by itself: `HazardTracker` finds which of them need no barrier. Adapters of matrices that read one input
    /// share two stages, as they write columns of the same rows: all first products, then all second ones.
    func stages(of operations: [FusedOperation], of plan: ForwardPlan) -> [[FusedOperation]] {
        var stages: [[FusedOperation]] = []
        var (downs, ups): ([FusedOperation], [FusedOperation]) = ([], [])
        func end() {
            stages += [downs, ups].filter { !$0.isEmpty }
            (downs, ups) = ([], [])
        }
        for operation in operations {
            guard case .selectedLinear(let input, _, _, .adapters(let addend), _) = operation else {
                end()
                stages.append([operation])
                continue
            }
            if addend != nil {
                ups.append(operation)
            } else {
                if ups.contains(where: { $0.outputs.contains(input) }) { end() }
                downs.append(operation)
            }
        }
        end()
        return stages
    }
}
