import Backends

/// A step with its kernels, as ranges of the program's lists. Plain data.
enum PreparedStep {
    case rows(PlanRows, Range<Int>)
    case linears(PlanRows, Range<Int>)
    case attention(AttentionKernel, counter: Int)
}

/// Everything that threads need to run a plan: lists of plain data that stay where they are.
struct Program {
    var steps: [PreparedStep] = []
    var rowKernels: [RowKernel] = []
    var linearKernels: [LinearKernel] = []
    var angles: [RotaryAngles] = []
    var attentionCount = 0
}
