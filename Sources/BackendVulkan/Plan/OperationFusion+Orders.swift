import Backends
import Tensors

extension OperationFusion {
    /// `steps` with activations brought into the order in which matrices have their columns: once for all matrices that
    /// share an input and an order. `plan` gets the values that this takes.
    static func reordering(_ steps: [FusedOperation], in plan: inout ForwardPlan) -> [FusedOperation] {
        struct Reordered: Hashable {
            let input: ValueID
            let order: [Int32]
        }
        var known: [Reordered: ValueID] = [:]
        var result: [FusedOperation] = []
        for step in steps {
            guard case .linear(let input, let parts) = step, let order = plan[parts[0].weights].weights.inputOrder
            else {
                result.append(step)
                continue
            }
            let key = Reordered(input: input, order: order)
            let reordered = known[key] ?? plan.addValue(rows: plan[input].rows, width: plan[input].width)
            if known[key] == nil {
                result.append(.reorder(input: input, matrix: parts[0].weights, output: reordered))
                known[key] = reordered
            }
            result.append(.linear(input: reordered, parts: parts))
        }
        return result
    }
}

extension LinearWeights {
    /// Whether rows of both can be rows of one matrix, given that their inputs are the same.
    func isStored(as other: LinearWeights) -> Bool {
        switch (self, other) {
        case (.dense(let left), .dense(let right)): left.elementType == right.elementType
        case (.quantized(let left), .quantized(let right)):
            left.layout == right.layout && left.inputOrder == right.inputOrder
        default: false
        }
    }
}
