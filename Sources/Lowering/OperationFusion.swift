public import Backends
import SharedValues
import Tensors

/// The first pass: neighbours that one kernel computes in one pass become one operation.
///
/// An addition computes the norm of its sum as well. Linear operations over the same input become one matrix, where the backend
/// joins them. A head's norm, its rotation and its write to the cache become one pass, where the backend has one.
public struct OperationFusion<Target: LoweringTarget> {
    private typealias Operation = FusedOperation<Target.Format>

    private let plan: ForwardPlan
    private let target: Target
    private let uses: ValueUses
    private let matrixUseCounts: [MatrixID: Int]

    public init(_ plan: ForwardPlan, for target: Target) {
        self.plan = plan
        self.target = target
        uses = ValueUses(of: plan)
        var counts: [MatrixID: Int] = [:]
        for operation in plan.operations {
            switch operation {
            case .embed(let matrix, _, _, _), .linear(_, let matrix, _, _): counts[matrix, default: 0] += 1
            default: break
            }
        }
        matrixUseCounts = counts
    }

    /// The operations, in an order in which they can run.
    public func operations() -> [FusedOperation<Target.Format>] {
        var result: [Operation] = []
        let absorbed = absorbedOperations()
        for (index, operation) in plan.operations.enumerated() where !absorbed.contains(index) {
            switch operation {
            case .embed(let table, let index, let scale, let output):
                result.append(.embed(table: table, index: index, scale: scale, output: output))
            case .rmsNorm(let input, let weight, let epsilon, let output):
                result.append(.norm(input: input, weight: weight, epsilon: epsilon, output: output))
            case .layerNorm(let input, let weight, let bias, let groupSize, let epsilon, let output):
                result.append(
                    .layerNorm(
                        input: input, weight: weight, bias: bias, groupSize: groupSize, epsilon: epsilon,
                        output: output))
            case .linear(let input, _, _, _):
                let parts = linearGroup(from: index).compactMap { member -> LinearPart? in
                    guard case .linear(_, let weights, let bias, let output) = plan.operations[member] else {
                        return nil
                    }
                    return LinearPart(weights: weights, bias: bias, output: output)
                }
                result.append(.linear(input: input, parts: parts))
            case .route(let logits, let bias, let factors, let routing, let output):
                result.append(
                    .route(logits: logits, bias: bias, factors: factors, routing: routing, output: output))
            case .selectedLinear(let input, let set, let bias, let selector, let output):
                result.append(
                    .selectedLinear(input: input, set: set, bias: bias, selector: selector, output: output))
            case .weightedSum(let input, let routes, let output):
                result.append(.weightedSum(input: input, routes: routes, output: output))
            case .rotaryEmbedding(_, let headSize, _, let output):
                result.append(.head(headPass(to: output, headSize: headSize, target: .value(output))))
            case .writeKV(let layer, let key, let value):
                let headSize = plan.cacheLayers[layer].headSize
                result.append(.head(headPass(to: key, headSize: headSize, target: .keys(layer: layer))))
                result.append(.head(headPass(to: value, headSize: headSize, target: .values(layer: layer))))
            case .pagedAttention(let layer, let query, let shape, let output):
                result.append(.attention(layer: layer, query: query, shape: shape, output: output))
            case .gatedActivation(let gate, let up, let activation, let output):
                result.append(.gated(gate: gate, up: up, activation: activation, output: output))
            case .activation(let input, let activation, let output):
                result.append(.activation(input: input, activation: activation, output: output))
            case .scale(let input, let factor, let output):
                result.append(.scale(input: input, factor: factor, output: output))
            case .positionScale(let input, let beta, let originalLength, let output):
                result.append(
                    .positionScale(
                        input: input, scale: PositionScale(beta: beta, originalLength: originalLength),
                        output: output))
            case .slice(let input, let offset, let output):
                result.append(.slice(input: input, offset: offset, output: output))
            case .concatHeads(let first, let second, let headCount, let output):
                result.append(.concatHeads(first: first, second: second, headCount: headCount, output: output))
            case .add(let left, let right, let output):
                if let norm = norm(ofSum: output),
                    case .rmsNorm(_, let weight, let epsilon, let normed) = plan.operations[norm]
                {
                    result.append(
                        .addNorm(
                            left: left, right: right, sum: output, weight: weight, epsilon: epsilon, output: normed))
                } else {
                    result.append(.add(left: left, right: right, output: output))
                }
            case .gather(let input, let output):
                result.append(.gather(input: input, output: output))
            case .softCap(let input, let cap, let output):
                result.append(.softCap(input: input, cap: cap, output: output))
            }
        }
        return result
    }

    /// The operations of the plan that a fused operation of another one computes as well.
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
}

// MARK: Additions and linear operations

extension OperationFusion {
    /// The first norm over all of `sum`. It can run as soon as the sum is there, so nothing between the two matters.
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
            let otherWidth = plan[output].width.roundedUp(to: target.joinUnit)
            // A matrix that would make the rows too wide begins a group of its own.
            if !group.isEmpty, width + otherWidth > target.maxJoinedWidth {
                if group[0] == index { return group }
                (group, width) = ([], 0)
            }
            group.append(other)
            width += otherWidth
        }
        return group.first == index ? group : [index]
    }

    /// A matrix with a second use stays alone. So do the logits, as the caller reads their rows without gaps.
    private func canJoin(_ index: Int) -> Bool {
        guard target.maxJoinedWidth > 0, case .linear(_, let weights, _, let output) = plan.operations[index] else {
            return false
        }
        return matrixUseCounts[weights] == 1 && output != plan.logits
    }
}

// MARK: Heads

extension OperationFusion {
    /// The pass that makes `value`, with the rotation and the norm before it as far as the pass can compute them.
    private func headPass(to value: ValueID, headSize: Int, target: HeadPass.Target) -> HeadPass {
        var input = value
        var rotary: RotaryEmbedding?
        // A rotation that writes a value is this pass itself. One before the cache becomes part of the pass if only the
        // cache reads its output.
        let index: Int? =
            if case .value = target { uses.producers[value] } else { soleRotary(before: value, headSize: headSize) }
        if let index, case .rotaryEmbedding(let source, _, let rotation, _) = plan.operations[index] {
            input = source
            rotary = rotation
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
        guard target.fusesHeads, let index = uses.producers[value], uses.isReadOnce(value),
            case .rotaryEmbedding(_, headSize, _, _) = plan.operations[index]
        else { return nil }
        return index
    }

    private func headNorm(before value: ValueID, headSize: Int) -> Int? {
        guard target.fusesHeads, let index = uses.producers[value], uses.isReadOnce(value),
            case .rmsNorm(let input, let weight, _, _) = plan.operations[index],
            plan[weight].elements.count == headSize
        else { return nil }
        // An addition computes the norm over a whole row already (`norm(ofSum:)`).
        if plan[input].width == headSize, let producer = uses.producers[input], case .add = plan.operations[producer] {
            return nil
        }
        return index
    }
}
