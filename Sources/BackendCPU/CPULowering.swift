import Backends
import CPUKernels
import Lowering
import Tensors

typealias CPUOperation = FusedOperation<ActivationFormat>

/// How linear operations read activations that are not 32-bit floats.
enum ActivationFormat: Hashable, Sendable {
    /// Rounded to bf16. Rows have an even number of elements, the last of which may be a zero.
    case bf16
    case quantized(QuantizedActivations)

    /// 32-bit words of a row of `width` numbers.
    func wordCount(width: Int) -> Int {
        switch self {
        case .bf16: (width + 1) / 2
        case .quantized(let activations):
            QuantizedActivations.recordCount(width: width) * activations.recordByteCount / 4
        }
    }

    /// The distance between two rows as kernels count it: in numbers of bf16, or in records.
    func stride(width: Int) -> Int {
        switch self {
        case .bf16: (width + 1) / 2 * 2
        case .quantized: QuantizedActivations.recordCount(width: width)
        }
    }
}

/// What the kernels of this backend fuse and read, for the passes of `Lowering`.
///
/// Heads are not fused and matrices are not joined: threads compute neighbouring operations of a row one after another
/// while the row is in the cache, which saves the same memory traffic (see `stages`).
struct CPULowering: LoweringTarget {
    let kernels: UnsafePointer<quire_kernels>
    let quantizedKernels: QuantizedKernels

    var fusesHeads: Bool { false }
    var maxJoinedWidth: Int { 0 }
    var joinUnit: Int { 1 }
    var rowUnit: Int { 1 }
    var maxArenaByteCount: Int { .max }
    var reordersWhileConverting: Bool { true }

    /// The format in which the kernel of `weights` reads its input; nil: 32-bit floats.
    func inputFormat(of weights: LinearWeights) -> ActivationFormat? {
        switch weights {
        case .quantized(let matrix): quantizedKernels.activations(for: matrix).map { .quantized($0) }
        case .dense(let tensor):
            kernels.pointee.linear_bf16_activation == .bf16 && tensor.elementType == .bf16 ? .bf16 : nil
        }
    }

    func inputFormats(for operations: [CPUOperation], of plan: ForwardPlan) -> [MatrixID: ActivationFormat] {
        var formats: [MatrixID: ActivationFormat] = [:]
        for case .linear(_, let parts) in operations {
            for part in parts { formats[part.weights] = inputFormat(of: plan[part.weights].weights) }
        }
        return formats
    }

    func inputFormat(of set: PlanMatrixSet) -> ActivationFormat? {
        set.matrices.first.flatMap { inputFormat(of: $0) }
    }

    func wordCount(of format: ActivationFormat, width: Int) -> Int { format.wordCount(width: width) }

    /// An attention converts the heads that share a key/value head as soon as it has them, where they are whole records.
    func canWrite(_ format: ActivationFormat, from operation: CPUOperation, of plan: ForwardPlan) -> Bool {
        guard case .attention(let layer, _, let shape, _, nil) = operation else { return false }
        let heads = plan.cacheLayers[layer]
        let columnCount = shape.queryHeadCount / heads.keyValueHeadCount * heads.headSize
        return switch format {
        case .bf16: true
        case .quantized: columnCount % QuantizedActivations.recordSize == 0
        }
    }

    /// Stages of a list scheduler: all row operations that can run, then all linear operations that can, then one
    /// attention. Threads meet at a barrier between two stages, so few stages mean few barriers. `q`, `k` and `v` become
    /// one stage, and so do `gate` and `up`; an addition, the norm after it and the conversion of its output; the
    /// rotation of queries and keys and the writes to the cache.
    func stages(of operations: [CPUOperation], of plan: ForwardPlan) -> [[CPUOperation]] {
        StageScheduler(operations, plan).stages()
    }
}

/// The kinds of stages of a `CPULowering`, and which operations can run in the next one.
private struct StageScheduler {
    private enum Kind: Hashable {
        /// Each row by itself: a thread takes some rows through all operations of the stage.
        case rows(PlanRows)
        /// Threads share the panels of the matrices.
        case linear(PlanRows)
        /// Threads share the rows and panels of the matrices that rows have chosen.
        case selected(PlanRows)
        /// The same for adapters. Steps without adapters skip the stage.
        case adapters
        /// Threads take pairs of queries and key/value heads as they become free.
        case attention
    }

    private struct Node {
        let operation: CPUOperation
        let kind: Kind
        /// The indices of the nodes that must run before it.
        let needs: [Int]
        /// Whether it reads rows other than its own. What it needs must then be complete before its stage begins.
        let readsOtherRows: Bool
    }

    private let nodes: [Node]

    init(_ operations: [CPUOperation], _ plan: ForwardPlan) {
        var nodes: [Node] = []
        var producers: [ValueID: Int] = [:]
        // Writes to a cache layer and the attention over it run in the order of the plan.
        var lastUseOfLayer: [Int: Int] = [:]
        for (index, operation) in operations.enumerated() {
            var needs = operation.inputs.map { input -> Int in
                guard let producer = producers[input] else {
                    preconditionFailure("a value is read before it is written")
                }
                return producer
            }
            if let layer = operation.cacheLayer {
                if let last = lastUseOfLayer[layer] { needs.append(last) }
                lastUseOfLayer[layer] = index
            }
            let rows = operation.outputs.first.map { plan[$0].rows } ?? .tokens
            let kind: Kind =
                switch operation {
                case .linear: .linear(rows)
                case .attention: .attention
                case .selectedLinear(_, _, _, .routes, _): .selected(rows)
                case .selectedLinear(_, _, _, .adapters, _): .adapters
                default: .rows(rows)
                }
            let isGather = if case .gather = operation { true } else { false }
            nodes.append(Node(operation: operation, kind: kind, needs: needs, readsOtherRows: isGather))
            for output in operation.outputs { producers[output] = index }
        }
        self.nodes = nodes
    }

    /// The stages, in the order in which they run.
    func stages() -> [[CPUOperation]] {
        var isDone = [Bool](repeating: false, count: nodes.count)
        var stages: [[CPUOperation]] = []
        var remaining = nodes.count
        while remaining > 0 {
            guard let ready = nextStage(isDone) else { preconditionFailure("operations that wait in a circle") }
            for index in ready { isDone[index] = true }
            remaining -= ready.count
            stages.append(ready.map { nodes[$0].operation })
        }
        return stages
    }

    /// The nodes of the next stage: rows before linears before attention.
    private func nextStage(_ isDone: [Bool]) -> [Int]? {
        for rows in [PlanRows.tokens, .samples] {
            var taken: [Int] = []
            var isTaken = isDone
            for (index, node) in nodes.enumerated() where !isDone[index] && node.kind == .rows(rows) {
                // A row may follow another operation of the same row in the same stage.
                let known = node.readsOtherRows ? isDone : isTaken
                guard node.needs.allSatisfy({ known[$0] }) else { continue }
                taken.append(index)
                isTaken[index] = true
            }
            if !taken.isEmpty { return taken }
        }
        let ready = nodes.indices.filter { index in !isDone[index] && nodes[index].needs.allSatisfy { isDone[$0] } }
        for rows in [PlanRows.tokens, .samples] {
            let linears = ready.filter { nodes[$0].kind == .linear(rows) }
            if !linears.isEmpty { return linears }
        }
        for rows in [PlanRows.tokens, .samples] {
            let selected = ready.filter { nodes[$0].kind == .selected(rows) }
            if !selected.isEmpty { return selected }
        }
        let adapted = ready.filter { nodes[$0].kind == .adapters }
        if !adapted.isEmpty { return adapted }
        return ready.first.map { [$0] }
    }
}
