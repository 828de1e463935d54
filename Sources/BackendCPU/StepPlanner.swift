import Backends

/// From a plan's operations to steps: neighbours that do not have to wait for each other share one.
///
/// A list scheduler over the plan's dependencies: all row operations that can run, then all linear operations that
/// can, then an attention. So `q`, `k` and `v` become one step, and so do `gate` and `up`; an addition, the norm after
/// it and the rounding of its output; the rotation of queries and keys and the write to the cache.
struct StepPlanner {
    private enum Kind: Hashable {
        case rows(PlanRows)
        case linear(PlanRows)
        case attention
    }

    private enum Work {
        case operation(DeviceOperation)
        case prepare(ValueID, InputForm)
    }

    private struct Node {
        let work: Work
        let kind: Kind
        /// Nodes that come before.
        let needs: [Int]
        /// Reads rows other than its own, so what it needs must be complete before its step begins.
        let readsOtherRows: Bool
    }

    private let plan: ForwardPlan
    /// What the kernels of these matrices read; the others read values as they are.
    private let inputForms: [MatrixID: InputForm]
    /// The forms in which some linear operation reads a value.
    private let wantedForms: [ValueID: [InputForm]]

    init(plan: ForwardPlan, inputForms: [MatrixID: InputForm]) {
        self.plan = plan
        self.inputForms = inputForms
        var wanted: [ValueID: [InputForm]] = [:]
        for case .linear(let input, let weights, _, _) in plan.operations {
            guard let form = inputForms[weights], wanted[input]?.contains(form) != true else { continue }
            wanted[input, default: []].append(form)
        }
        wantedForms = wanted
    }

    /// The steps, in the order in which they run.
    func steps() -> [CPUStep] {
        let nodes = self.nodes()
        var isDone = [Bool](repeating: false, count: nodes.count)
        var steps: [CPUStep] = []
        var remaining = nodes.count
        while remaining > 0 {
            guard let ready = nextStep(nodes, isDone) else { preconditionFailure("operations that wait in a circle") }
            for index in ready { isDone[index] = true }
            remaining -= ready.count
            steps.append(step(of: ready.map { nodes[$0] }))
        }
        return steps
    }

    /// The nodes of the next step: rows before linears before attention.
    private func nextStep(_ nodes: [Node], _ isDone: [Bool]) -> [Int]? {
        for rows in [PlanRows.tokens, .samples] {
            var taken: [Int] = []
            var isTaken = isDone
            for (index, node) in nodes.enumerated() where !isDone[index] && node.kind == .rows(rows) {
                let ready =
                    node.readsOtherRows ? node.needs.allSatisfy { isDone[$0] } : node.needs.allSatisfy { isTaken[$0] }
                if ready {
                    taken.append(index)
                    isTaken[index] = true
                }
            }
            if !taken.isEmpty { return taken }
        }
        let ready = nodes.indices.filter { index in !isDone[index] && nodes[index].needs.allSatisfy { isDone[$0] } }
        for rows in [PlanRows.tokens, .samples] {
            let linears = ready.filter { nodes[$0].kind == .linear(rows) }
            if !linears.isEmpty { return linears }
        }
        return ready.first.map { [$0] }
    }

    /// The plan's operations and the roundings between them, each with what it needs.
    private func nodes() -> [Node] {
        var nodes: [Node] = []
        var producers: [ValueForm: Int] = [:]
        var lastTouch: [Int: Int] = [:]
        for operation in plan.operations {
            var needs = operation.inputs.map { input -> Int in
                guard let producer = producers[ValueForm(input, form(readBy: operation))] else {
                    preconditionFailure("a value is read before it is written")
                }
                return producer
            }
            if let layer = operation.cacheLayer {
                if let last = lastTouch[layer] { needs.append(last) }
                lastTouch[layer] = nodes.count
            }
            let kind = kind(of: operation)
            var readsOtherRows = false
            if case .gather = operation { readsOtherRows = true }
            nodes.append(
                Node(work: .operation(operation), kind: kind, needs: needs, readsOtherRows: readsOtherRows))
            guard let output = operation.output else { continue }
            let producer = nodes.count - 1
            producers[.wide(output)] = producer
            let ownForm = ownForm(of: operation)
            for form in wantedForms[output] ?? [] {
                // Whatever its operation does not make itself is a row operation, in the same step if possible.
                if form != ownForm {
                    nodes.append(
                        Node(
                            work: .prepare(output, form), kind: .rows(plan[output].rows), needs: [producer],
                            readsOtherRows: false))
                    producers[.prepared(output, form)] = nodes.count - 1
                } else {
                    producers[.prepared(output, form)] = producer
                }
            }
        }
        return nodes
    }

    private func kind(of operation: DeviceOperation) -> Kind {
        switch operation {
        case .linear(_, _, _, let output): .linear(plan[output].rows)
        case .pagedAttention: .attention
        case .writeKV: .rows(.tokens)
        case .embed(_, _, let output), .rmsNorm(_, _, _, let output), .rotaryEmbedding(_, _, _, let output),
            .gatedActivation(_, _, _, let output), .add(_, _, let output), .gather(_, let output),
            .softCap(_, _, let output):
            .rows(plan[output].rows)
        }
    }

    private func form(readBy operation: DeviceOperation) -> InputForm? {
        guard case .linear(_, let weights, _, _) = operation else { return nil }
        return inputForms[weights]
    }

    /// The form into which an attention brings its own output, a few heads at a time: rounded, or integers where these heads
    /// are whole records.
    private func ownForm(of operation: DeviceOperation) -> InputForm? {
        guard case .pagedAttention(let layer, _, let shape, let output) = operation else { return nil }
        let heads = plan.cacheLayers[layer]
        let columnCount = shape.queryHeadCount / heads.keyValueHeadCount * heads.headSize
        return wantedForms[output]?.first { form in
            switch form.numbers {
            case .wide: false
            case .narrow: form.order == nil
            case .digits: form.order == nil && columnCount % QuantizedActivations.recordSize == 0
            }
        }
    }

    private func step(of nodes: [Node]) -> CPUStep {
        switch nodes[0].kind {
        case .rows(let rows):
            return .rows(rows, fused(nodes.map(\.work)))
        case .linear(let rows):
            return .linears(
                rows,
                nodes.compactMap { node in
                    guard case .operation(.linear(let input, let weights, let bias, let output)) = node.work else {
                        return nil
                    }
                    return LinearOperation(
                        input: input, weights: weights, bias: bias, output: output,
                        form: inputForms[weights])
                })
        case .attention:
            guard case .operation(.pagedAttention(let layer, let query, let shape, let output)) = nodes[0].work else {
                preconditionFailure("no attention")
            }
            return .attention(
                AttentionOperation(
                    layer: layer, query: query, shape: shape, output: output,
                    form: ownForm(of: .pagedAttention(layer: layer, query: query, attention: shape, output: output))))
        }
    }

    /// Row operations with each addition drawn into the norm of its sum, if that comes next.
    private func fused(_ work: [Work]) -> [RowOperation] {
        var operations: [RowOperation] = []
        for work in work {
            switch work {
            case .prepare(let value, let form):
                operations.append(.prepare(value, form))
            case .operation(let operation):
                if case .rmsNorm(let input, let weight, let epsilon, let output) = operation,
                    case .plan(.add(let left, let right, let sum))? = operations.last, sum == input,
                    plan[weight].elements.count == plan[sum].width
                {
                    operations[operations.count - 1] = .addNorm(
                        left: left, right: right, sum: sum, weight: weight, epsilon: epsilon, output: output)
                } else {
                    operations.append(.plan(operation))
                }
            }
        }
        return operations
    }
}
