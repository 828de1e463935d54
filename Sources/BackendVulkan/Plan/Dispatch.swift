import Backends
import CVulkan

/// What the second dimension of a dispatch counts; known only when a batch runs.
enum DispatchRows: Hashable {
    case tokens, samples, rowTasks, tileTasks, reductions, reducedSamples
    /// All tokens, unless a reduction ends the attention of each.
    case tokensIfUnreduced

    init(_ rows: PlanRows) {
        switch rows {
        case .tokens: self = .tokens
        case .samples: self = .samples
        }
    }
}

/// A kernel for batches up to some number of rows.
struct KernelChoice {
    let maxRowCount: Int
    let rowsPerGroup: Int
    let pipeline: Pipeline
}

/// One kernel over one set of buffers, ready but for the number of rows.
struct Dispatch {
    /// By rising number of rows.
    let choices: [KernelChoice]
    let bindings: [MemoryRange]
    /// The kernel's numbers after the first, which is the number of rows.
    let constants: [UInt32]
    let rows: DispatchRows
    /// Workgroups in the first dimension.
    let groupCount: Int
    /// What it computes, with shapes, for people.
    var label = ""
    /// Bytes that it must move, however many rows there are.
    var byteCount = 0
    /// Bytes that it must move for each row.
    var bytesPerRow = 0
    /// Bytes that it must move for each position of a sequence's context.
    var bytesPerPosition = 0
    /// Floating-point operations of a row.
    var workPerRow = 0
    /// Floating-point operations of a pair of a query and a position.
    var workPerScore = 0
    var set: VkDescriptorSet?

    /// The kernel for `rows` rows.
    func choice(forRows rows: Int) -> KernelChoice? { choices.first { rows <= $0.maxRowCount } }
}

/// Dispatches that do not wait for each other, and whether they wait for what came before.
struct DispatchPhase {
    var dispatches: [Dispatch]
    var needsBarrier = false
}
