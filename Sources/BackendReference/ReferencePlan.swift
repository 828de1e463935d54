import Backends
import CLibrary
import SharedValues
import Tensors

/// A plan with its weights, dense ones widened to 32 bits, and the interpreter that runs it.
final class ReferencePlan: PreparedPlan {
    let plan: ForwardPlan
    let limits: BatchLimits
    let values: [Matrix]
    let matrices: [WeightMatrix]
    /// The matrices of each set.
    let matrixSets: [[WeightMatrix]]
    /// The matrices of adapters: of each set with slots, those in the slots.
    private(set) var adapters: [MatrixSetID: [[Float]?]] = [:]
    private(set) var cache: KVCacheMemory?
    /// Sample rows of the batch that is computed but not waited for.
    private var submittedRowCount: Int?

    init(_ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool) throws(BackendError) {
        try plan.check()
        self.plan = plan
        self.limits = limits
        var matrices: [WeightMatrix] = []
        for matrix in plan.matrices {
            matrices.append(try WeightMatrix(matrix.weights, pool: pool))
        }
        var values: [Matrix] = []
        for value in plan.values {
            let rowCount = value.rows == .tokens ? limits.maxTokenCount : limits.maxSampleCount
            values.append(try Matrix(rowCount: rowCount, width: value.width, for: .scratch, pool: pool))
        }
        var matrixSets: [[WeightMatrix]] = []
        for set in plan.matrixSets {
            matrixSets.append([])
            for matrix in set.matrices {
                matrixSets[matrixSets.count - 1].append(try WeightMatrix(matrix, pool: pool))
            }
        }
        self.matrices = matrices
        self.matrixSets = matrixSets
        self.values = values
    }

    func attach(_ cache: KVCacheMemory) {
        precondition(
            cache.layout.layers.map(\.shape) == plan.cacheLayers, "a cache with other layers than the plan's")
        self.cache = cache
    }

    func setAdapter(_ matrices: [MatrixSetID: HostTensor], slot: Int) {
        for target in plan.adapterTargets {
            for set in [target.down, target.up] {
                adapters[set, default: Array(repeating: nil, count: plan[set].count)][slot] = matrices[set]?.floats()
            }
        }
    }

    func copyBlocks(_ copies: [BlockMove]) {
        cache?.copyOnHost(copies)
    }

    func submit(_ batch: borrowing ForwardBatch) {
        precondition(submittedRowCount == nil, "wait for the last batch before submit")
        precondition(batch.tokenCount <= limits.maxTokenCount && batch.sampleRows.count <= limits.maxSampleCount)
        precondition(
            cache.map { batch.fits($0.layout) } ?? true, "a batch for other cache groups than the cache's")
        for operation in plan.operations {
            perform(operation, batch)
        }
        submittedRowCount = batch.sampleRows.count
    }

    func wait() -> SampledRows {
        guard let rowCount = submittedRowCount.take() else { preconditionFailure("submit a batch before wait") }
        guard let logits = plan.logits else { preconditionFailure("a plan without logits") }
        return values[logits.index].sampled(rowCount)
    }

    private func perform(_ operation: DeviceOperation, _ batch: borrowing ForwardBatch) {
        switch operation {
        case .embed(let table, let index, let scale, let output):
            embed(table: table, index: index, scale: scale, output: output, batch)
        case .rmsNorm(let input, let weight, let epsilon, let output):
            rmsNorm(input: input, weight: weight, epsilon: epsilon, output: output, batch)
        case .layerNorm(let input, let weight, let bias, let groupSize, let epsilon, let output):
            layerNorm(
                input: input, weight: weight, bias: bias, groupSize: groupSize, epsilon: epsilon, output: output,
                batch)
        case .linear(let input, let weights, let bias, let output):
            linear(input: input, weights: weights, bias: bias, output: output, batch)
        case .route(let logits, let bias, let factors, let routing, let output):
            route(logits: logits, bias: bias, factors: factors, routing: routing, output: output, batch)
        case .selectedLinear(let input, let set, let bias, .routes(let routes), let output):
            selectedLinear(input: input, set: set, bias: bias, routes: routes, output: output, batch)
        case .selectedLinear(let input, let set, _, .adapters(let addend), let output):
            adapterLinear(input: input, set: set, addend: addend, output: output, batch)
        case .weightedSum(let input, let routes, let output):
            weightedSum(input: input, routes: routes, output: output, batch)
        case .rotaryEmbedding(let input, let headSize, let rotary, let output):
            rotaryEmbedding(input: input, headSize: headSize, rotary: rotary, output: output, batch)
        case .writeKV(let layer, let key, let value):
            writeKV(layer: layer, key: key, value: value, batch)
        case .pagedAttention(let layer, let query, let attention, let output):
            pagedAttention(layer: layer, query: query, attention: attention, output: output, batch)
        case .gatedActivation(let gate, let up, let activation, let output):
            gatedActivation(gate: gate, up: up, activation: activation, output: output, batch)
        case .activation(let input, let activation, let output):
            map(input: input, output: output, batch) { Float(activation.applied(to: Double($0))) }
        case .scale(let input, let factor, let output):
            map(input: input, output: output, batch) { $0 * factor }
        case .positionScale(let input, let beta, let originalLength, let output):
            positionScale(input: input, beta: beta, originalLength: originalLength, output: output, batch)
        case .slice(let input, let offset, let output):
            slice(input: input, offset: offset, output: output, batch)
        case .concatHeads(let first, let second, let headCount, let output):
            concatHeads(first: first, second: second, headCount: headCount, output: output, batch)
        case .add(let left, let right, let output):
            add(left: left, right: right, output: output, batch)
        case .gather(let input, let output):
            gather(input: input, output: output, batch)
        case .softCap(let input, let cap, let output):
            map(input: input, output: output, batch) { Float(Double(cap) * tanh(Double($0) / Double(cap))) }
        }
    }

    /// How many rows `value` has in `batch`.
    func rowCount(of value: ValueID, in batch: borrowing ForwardBatch) -> Int {
        switch plan[value].rows {
        case .tokens: batch.tokenCount
        case .samples: batch.sampleRows.count
        }
    }
}
