import Backends

/// Who writes each value, and how often each is read.
struct ValueUses {
    /// The index of the operation that writes a value.
    private(set) var producers: [ValueID: Int] = [:]
    /// How many operations read a value; the caller's reading of the logits counts as well.
    private(set) var readCounts: [ValueID: Int] = [:]

    init(of operations: [(inputs: [ValueID], outputs: [ValueID])], logits: ValueID?) {
        for (index, operation) in operations.enumerated() {
            for output in operation.outputs { producers[output] = index }
            for input in operation.inputs { readCounts[input, default: 0] += 1 }
        }
        if let logits { readCounts[logits, default: 0] += 1 }
    }

    init(of plan: ForwardPlan) {
        self.init(
            of: plan.operations.map { ($0.inputs, $0.output.map { [$0] } ?? []) }, logits: plan.logits)
    }

    init<Format>(of operations: [FusedOperation<Format>], logits: ValueID?) {
        self.init(of: operations.map { ($0.inputs, $0.outputs) }, logits: logits)
    }

    /// Whether exactly one operation reads `value`, and not the caller.
    func isReadOnce(_ value: ValueID) -> Bool { readCounts[value] == 1 }
}
