import Tensors

extension ForwardPlan {
    /// Throws `malformedPlan` for the first operation that reads a value or a cache layer before it is written, writes a
    /// value twice, or whose values, weights or cache layer do not fit together. Backends call it in `prepare`, as their
    /// kernels trust shapes.
    public func check() throws(BackendError) {
        var written: Set<ValueID> = []
        var writtenLayers: Set<Int> = []
        var routings: [ValueID: ExpertRouting] = [:]
        for operation in operations {
            func fail(_ reason: String) -> BackendError {
                .malformedPlan(operation: describe(operation), reason: reason)
            }
            for input in operation.inputs where !written.contains(input) {
                throw fail("it reads \(input), which no operation before it writes")
            }
            if let output = operation.output, !written.insert(output).inserted {
                throw fail("it writes \(output), which another operation has written")
            }
            if case .writeKV(let layer, _, _) = operation { writtenLayers.insert(layer) }
            if let layer = operation.cacheLayer, !writtenLayers.contains(layer) {
                throw fail("it reads cache layer \(layer), which no operation before it writes")
            }
            if case .route(_, _, _, let routing, let output) = operation { routings[output] = routing }
            if let misfit = misfit(of: operation) ?? misfit(ofRoutes: operation, routings) { throw fail(misfit) }
        }
        try checkAdapters()
        guard let logits, written.contains(logits) else {
            throw .malformedPlan(operation: "logits", reason: "no operation writes them")
        }
    }

    /// What does not fit in an operation; nil where everything does.
    private func misfit(of operation: DeviceOperation) -> String? {
        switch operation {
        case .embed(let table, _, _, let output):
            return differs("rows of the table", self[table].weights.inputSize, "the output", self[output].width)
                ?? (self[output].rows == .tokens ? nil : "its output has a row for each sample, not for each token")
        case .rmsNorm(let input, let weight, _, let output):
            return unlike(output, input) ?? undivided(self[input].width, by: self[weight].elements.count)
        case .layerNorm(let input, let weight, let bias, let groupSize, _, let output):
            return unlike(output, input) ?? undivided(self[input].width, by: groupSize)
                ?? [weight, bias].compactMap { $0 }.lazy.compactMap { vector -> String? in
                    let (found, width) = (self[vector].elements.count, self[input].width)
                    return found == groupSize || found == width
                        ? nil : "\(self[vector].name) has \(found) numbers, a group \(groupSize) and the row \(width)"
                }.first
        case .linear(let input, let weights, let bias, let output):
            let (matrix, name) = (self[weights].weights, self[weights].name)
            return differs("the input", self[input].width, "rows of \(name)", matrix.inputSize)
                ?? differs("columns of \(name)", matrix.outputSize, "the output", self[output].width)
                ?? bias.flatMap { differs(self[$0].name, self[$0].elements.count, "the output", self[output].width) }
                ?? (self[input].rows == self[output].rows ? nil : "its input and its output count other rows")
        case .route(let logits, let bias, let factors, let routing, let output):
            if case .sparseMixer = routing.scoring, bias != nil { return "a sparse mixer with a bias" }
            return routing.misfit ?? differs("logits", self[logits].width, "experts", routing.expertCount)
                ?? differs("the output", self[output].width, "a route", routing.routeWidth)
                ?? [bias, factors].compactMap { $0 }.lazy.compactMap {
                    differs(self[$0].name, self[$0].elements.count, "experts", routing.expertCount)
                }.first
                ?? (self[logits].rows == self[output].rows ? nil : "its input and its output count other rows")
        case .selectedLinear(let input, let set, let bias, .routes(let routes), let output):
            return misfit(of: self[set])
                ?? misfitOfSelection(input, self[set], bias, choiceCount: self[routes].width / 2, output)
                ?? (self[input].rows == self[output].rows && self[routes].rows == self[output].rows
                    ? nil : "its inputs and its output count other rows")
        case .selectedLinear(let input, let set, let bias, .adapters(let addend), let output):
            return misfitOfSelection(input, self[set], bias, choiceCount: 1, output)
                ?? addend.flatMap { unlike(output, $0) }
                ?? (self[set].slots != nil && bias == nil ? nil : "adapters are matrices in slots, without a bias")
                ?? (self[input].rows == .tokens && self[output].rows == .tokens
                    ? nil : "it has a row for each sample, not for each token")
        case .weightedSum(let input, let routes, let output):
            return differs(
                "the input", self[input].width, "the choices", self[routes].width / 2 * self[output].width)
                ?? (self[input].rows == self[output].rows && self[routes].rows == self[output].rows
                    ? nil : "its inputs and its output count other rows")
        case .rotaryEmbedding(let input, let headSize, let rotary, let output):
            return unlike(output, input) ?? undivided(self[input].width, by: headSize)
                ?? (2 * rotary.frequencies.count <= headSize
                    ? nil : "\(rotary.frequencies.count) pairs do not fit into a head of \(headSize)")
        case .writeKV(let layer, let key, let value):
            let width = cacheLayers[layer].keyValueHeadCount * cacheLayers[layer].headSize
            return differs("the key", self[key].width, "the cache layer", width)
                ?? differs("the value", self[value].width, "the cache layer", width)
        case .pagedAttention(let layer, let query, let attention, let output):
            let heads = cacheLayers[layer]
            return unlike(output, query) ?? undivided(attention.queryHeadCount, by: heads.keyValueHeadCount)
                ?? differs(
                    "the query", self[query].width, "its heads together", attention.queryHeadCount * heads.headSize)
                ?? attention.sinks.flatMap {
                    differs("sinks", self[$0].elements.count, "heads", attention.queryHeadCount)
                }
        case .gatedActivation(let gate, let up, _, let output): return unlike(output, gate) ?? unlike(output, up)
        case .add(let left, let right, let output): return unlike(output, left) ?? unlike(output, right)
        case .activation(let input, _, let output), .scale(let input, _, let output),
            .softCap(let input, _, let output):
            return unlike(output, input)
        case .positionScale(let input, _, let originalLength, let output):
            return unlike(output, input) ?? (originalLength > 0 ? nil : "its length is not positive")
        case .slice(let input, let offset, let output):
            let end = offset + self[output].width
            return offset >= 0 && end <= self[input].width
                ? nil : "columns \(offset) to \(end) of a row of \(self[input].width) numbers"
        case .concatHeads(let first, let second, let headCount, let output):
            let parts = [first, second].compactMap { $0 }
            return undivided(self[output].width, by: headCount)
                ?? parts.lazy.compactMap { misfit(of: $0, headCount, output) }.first
                ?? (parts.reduce(0) { $0 + $1.width } <= self[output].width / headCount
                    ? nil : "the parts of a head do not fit into \(self[output].width / headCount) numbers")
        case .gather(let input, let output):
            return differs("the input", self[input].width, "the output", self[output].width)
                ?? (self[input].rows == .tokens && self[output].rows == .samples
                    ? nil : "it does not go from a row for each token to a row for each sample")
        }
    }

    /// Kernels trust the numbers in a route.
    private func misfit(ofRoutes operation: DeviceOperation, _ routings: [ValueID: ExpertRouting]) -> String? {
        switch operation {
        case .selectedLinear(_, let set, _, .routes(let routes), _):
            guard let routing = routings[routes] else { return "\(routes) holds no routes" }
            return differs("experts", routing.expertCount, "matrices of \(self[set].name)", self[set].matrices.count)
        case .weightedSum(_, let routes, _): return routings[routes] == nil ? "\(routes) holds no routes" : nil
        default: return nil
        }
    }

    /// Backends skip the operations of adapters in steps without any, and add in place.
    private func checkAdapters() throws(BackendError) {
        var readCounts: [ValueID: Int] = [:]
        for operation in operations {
            for input in operation.inputs { readCounts[input, default: 0] += 1 }
        }
        var undefined: Set<ValueID> = []
        for operation in operations {
            let reading = operation.inputs.filter { undefined.contains($0) }
            guard case .selectedLinear(let input, _, _, .adapters(let addend), let output) = operation else {
                guard reading.isEmpty else {
                    throw .malformedPlan(
                        operation: describe(operation),
                        reason: "\(reading[0]) is not defined for rows without an adapter")
                }
                continue
            }
            guard let addend else {
                undefined.insert(output)
                continue
            }
            guard readCounts[addend] == 1, addend != input, addend != logits else {
                throw .malformedPlan(
                    operation: describe(operation), reason: "\(addend) is read by something else as well")
            }
        }
    }

    private func misfit(of set: PlanMatrixSet) -> String? {
        for (index, matrix) in set.matrices.enumerated() {
            if matrix.inputSize != set.inputSize || matrix.outputSize != set.outputSize {
                return "matrix \(index) of \(set.name) is [\(matrix.outputSize), \(matrix.inputSize)], the first one "
                    + "[\(set.outputSize), \(set.inputSize)]"
            }
            if !matrix.isStored(as: set.matrices[0]) { return "matrix \(index) of \(set.name) has a layout of its own" }
            if matrix.inputOrder != nil { return "\(set.name) has reordered columns" }
        }
        return nil
    }

    private func misfitOfSelection(
        _ input: ValueID, _ set: PlanMatrixSet, _ bias: VectorID?, choiceCount: Int, _ output: ValueID
    ) -> String? {
        let width = self[input].width
        guard width == set.inputSize || width == choiceCount * set.inputSize else {
            return "the input: \(width), rows of \(set.name): \(set.inputSize), choices: \(choiceCount)"
        }
        return differs("\(choiceCount) products", choiceCount * set.outputSize, "the output", self[output].width)
            ?? bias.flatMap {
                differs(self[$0].name, self[$0].elements.count, "outputs", set.count * set.outputSize)
            }
    }

    private func misfit(of columns: HeadColumns, _ headCount: Int, _ output: ValueID) -> String? {
        let end = columns.offset + (headCount - 1) * columns.stride + columns.width
        guard columns.offset >= 0, columns.stride >= 0, columns.width > 0, end <= self[columns.input].width else {
            return "columns \(columns.offset) to \(end) of a row of \(self[columns.input].width) numbers"
        }
        return self[columns.input].rows == self[output].rows ? nil : "its inputs and its output count other rows"
    }

    private func differs(_ left: String, _ leftCount: Int, _ right: String, _ rightCount: Int) -> String? {
        leftCount == rightCount ? nil : "\(left): \(leftCount), \(right): \(rightCount)"
    }

    private func unlike(_ left: ValueID, _ right: ValueID) -> String? {
        self[left] == self[right]
            ? nil
            : "\(left) is [\(self[left].rows), \(self[left].width)] and \(right) is "
                + "[\(self[right].rows), \(self[right].width)]"
    }

    private func undivided(_ count: Int, by size: Int) -> String? {
        size > 0 && count % size == 0 ? nil : "\(count) is no multiple of \(size)"
    }
}
