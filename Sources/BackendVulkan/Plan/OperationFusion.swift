import Backends
import SharedValues

/// From a plan's operations to fused steps: what one kernel can do in one pass is one step.
///
/// An addition takes in the norm of its sum; linear operations over the same input become one matrix; a head's norm,
/// its rotation and its write to the cache become one pass over the head.
struct OperationFusion {
    private let plan: ForwardPlan
    private let maxWidth: Int
    private let producers: [ValueID: Int]
    private let useCounts: [ValueID: Int]
    private let matrixUseCounts: [MatrixID: Int]

    /// `maxWidth`: how wide rows may be that several linear operations share, in numbers.
    init(plan: ForwardPlan, maxWidth: Int = .max) {
        self.plan = plan
        self.maxWidth = maxWidth
        var producers: [ValueID: Int] = [:]
        var useCounts: [ValueID: Int] = [:]
        var matrixUseCounts: [MatrixID: Int] = [:]
        for (index, operation) in plan.operations.enumerated() {
            if let output = operation.output { producers[output] = index }
            for input in operation.inputs { useCounts[input, default: 0] += 1 }
            switch operation {
            case .embed(let table, _, _): matrixUseCounts[table, default: 0] += 1
            case .linear(_, let weights, _, _): matrixUseCounts[weights, default: 0] += 1
            default: break
            }
        }
        if let logits = plan.logits { useCounts[logits, default: 0] += 1 }
        self.producers = producers
        self.useCounts = useCounts
        self.matrixUseCounts = matrixUseCounts
    }

    /// The steps, in an order in which they can run.
    func steps() -> [FusedOperation] {
        var steps: [FusedOperation] = []
        let absorbed = absorbedOperations()
        for (index, operation) in plan.operations.enumerated() where !absorbed.contains(index) {
            switch operation {
            case .embed(let table, let scale, let output):
                steps.append(.embed(table: table, scale: scale, output: output))
            case .rmsNorm(let input, let weight, let epsilon, let output):
                steps.append(.norm(input: input, weight: weight, epsilon: epsilon, output: output))
            case .linear(let input, _, _, _):
                let parts = linearGroup(from: index).compactMap { member -> LinearPart? in
                    guard case .linear(_, let weights, let bias, let output) = plan.operations[member] else {
                        return nil
                    }
                    return LinearPart(weights: weights, bias: bias, output: output)
                }
                steps.append(.linear(input: input, parts: parts))
            case .rotaryEmbedding(_, let headSize, _, let output):
                steps.append(.head(headStep(of: output, headSize: headSize, target: .value(output))))
            case .writeKV(let layer, let key, let value):
                let headSize = plan.cacheLayers[layer].headSize
                steps.append(.head(headStep(of: key, headSize: headSize, target: .keys(layer: layer))))
                steps.append(.head(headStep(of: value, headSize: headSize, target: .values(layer: layer))))
            case .pagedAttention(let layer, let query, let shape, let output):
                steps.append(.attention(layer: layer, query: query, shape: shape, output: output))
            case .gatedActivation(let gate, let up, let activation, let output):
                steps.append(.gated(gate: gate, up: up, activation: activation, output: output))
            case .add(let left, let right, let output):
                if let norm = norm(ofSum: output),
                    case .rmsNorm(_, let weight, let epsilon, let normed) = plan.operations[norm]
                {
                    steps.append(
                        .addNorm(
                            left: left, right: right, sum: output, weight: weight, epsilon: epsilon, output: normed))
                } else {
                    steps.append(.add(left: left, right: right, output: output))
                }
            case .gather(let input, let output):
                steps.append(.gather(input: input, output: output))
            case .softCap(let input, let cap, let output):
                steps.append(.softCap(input: input, cap: cap, output: output))
            }
        }
        return steps
    }

    /// Operations that another one's step does as well.
    private func absorbedOperations() -> Set<Int> {
        var absorbed: Set<Int> = []
        for (index, operation) in plan.operations.enumerated() {
            switch operation {
            case .add(_, _, let output):
                if let norm = norm(ofSum: output) { absorbed.insert(norm) }
            case .linear:
                absorbed.formUnion(linearGroup(from: index).dropFirst())
            case .rotaryEmbedding(let input, let headSize, _, _):
                if let norm = headNorm(before: input, headSize: headSize) { absorbed.insert(norm) }
            case .writeKV(let layer, let key, let value):
                let headSize = plan.cacheLayers[layer].headSize
                for written in [key, value] {
                    var written = written
                    if let rotary = soleRotary(before: written, headSize: headSize),
                        case .rotaryEmbedding(let input, _, _, _) = plan.operations[rotary]
                    {
                        absorbed.insert(rotary)
                        written = input
                    }
                    if let norm = headNorm(before: written, headSize: headSize) { absorbed.insert(norm) }
                }
            default: break
            }
        }
        return absorbed
    }

    /// The first norm over all of `sum`; it can be done as soon as the sum is there.
    private func norm(ofSum sum: ValueID) -> Int? {
        plan.operations.firstIndex { operation in
            guard case .rmsNorm(let input, let weight, _, _) = operation else { return false }
            return input == sum && plan[weight].elements.count == plan[sum].width
        }
    }

    /// The operation at `index` and later linear ones over its input, where their matrices can become one.
    private func linearGroup(from index: Int) -> [Int] {
        guard case .linear(let input, let weights, _, _) = plan.operations[index], canJoin(index) else {
            return [index]
        }
        var (group, width): ([Int], Int) = ([], 0)
        for other in plan.operations.indices {
            guard case .linear(input, let otherWeights, _, let output) = plan.operations[other], canJoin(other),
                plan[otherWeights].weights.isStored(as: plan[weights].weights)
            else { continue }
            let ownWidth = plan[output].width.roundedUp(to: ValueLayout.tile)
            // Those that have no room begin a matrix of their own.
            if !group.isEmpty, width + ownWidth > maxWidth {
                if group[0] == index { return group }
                (group, width) = ([], 0)
            }
            group.append(other)
            width += ownWidth
        }
        return group.first == index ? group : [index]
    }

    /// A matrix with a second use stays by itself, and so do the logits, whose rows the caller wants without gaps.
    private func canJoin(_ index: Int) -> Bool {
        guard case .linear(_, let weights, _, let output) = plan.operations[index] else { return false }
        return matrixUseCounts[weights] == 1 && output != plan.logits
    }

    /// What makes `value` out of an earlier one, as far as a pass over its heads can do it.
    private func headStep(of value: ValueID, headSize: Int, target: HeadPass.Target) -> HeadPass {
        var input = value
        var rotary: RotaryEmbedding?
        // A rotation with a value of its own is that step itself; one before the cache is drawn in if nobody else reads.
        let index: Int? =
            if case .value = target { producers[value] } else { soleRotary(before: value, headSize: headSize) }
        if let index, case .rotaryEmbedding(let source, _, let found, _) = plan.operations[index] {
            input = source
            rotary = found
        }
        var norm: HeadPass.Norm?
        if let index = headNorm(before: input, headSize: headSize),
            case .rmsNorm(let source, let weight, let epsilon, _) = plan.operations[index]
        {
            input = source
            norm = HeadPass.Norm(weight: weight, epsilon: epsilon)
        }
        return HeadPass(input: input, headSize: headSize, norm: norm, rotary: rotary, target: target)
    }

    private func soleRotary(before value: ValueID, headSize: Int) -> Int? {
        guard let index = producers[value], useCounts[value] == 1,
            case .rotaryEmbedding(_, headSize, _, _) = plan.operations[index]
        else { return nil }
        return index
    }

    private func headNorm(before value: ValueID, headSize: Int) -> Int? {
        guard let index = producers[value], useCounts[value] == 1,
            case .rmsNorm(let input, let weight, _, _) = plan.operations[index],
            plan[weight].elements.count == headSize
        else { return nil }
        // Where a norm over the whole row is drawn into an addition, it is not there to be drawn in here.
        if plan[input].width == headSize, let producer = producers[input], case .add = plan.operations[producer] {
            return nil
        }
        return index
    }
}
