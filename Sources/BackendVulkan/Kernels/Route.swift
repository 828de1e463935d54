import Backends

/// Chooses experts for each row (`route.comp`).
struct RouteKernel: Kernel {
    enum Binding: KernelBinding { case logits, vectors, output }

    struct Parameters: KernelParameters {
        var logits: RowLayout
        var output: RowLayout
        var hasBias: UInt32
        var biasOffset: UInt32
        var hasFactors: UInt32
        var factorOffset: UInt32
        var scale: Float
        /// Twice that of a sparse mixer; other scorings read none.
        var jitter: Float = 0
    }

    static let operations = [KernelOperation("route", parts: [PackageResources.route_comp])]

    /// Experts that shared memory has room for, and a bit for each of an invocation's.
    static let maxExpertCount = 1024

    let routing: ExpertRouting

    private var isMixer: Bool { if case .sparseMixer = routing.scoring { true } else { false } }

    fileprivate var jitter: Float {
        guard case .sparseMixer(let jitter) = routing.scoring else { return 0 }
        return 2 * jitter
    }

    var definitions: ShaderDefinitions {
        [
            "GROUP": ElementwiseGroup.size, "EXPERTS": routing.expertCount, "CHOICES": routing.choiceCount,
            "SCORING": routing.scoring.code, "NORMALIZED": routing.isNormalized ? 1 : 0,
            "GROUPS": routing.groups?.count ?? 1, "CHOSEN_GROUPS": routing.groups?.chosenCount ?? 1,
            "SCORE_COUNT": routing.groups?.scoreCount ?? 1,
        ]
    }

    /// Three rows with factors and, but for sparse mixers, a bias; the last one has equal logits.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let count = routing.expertCount
        let logits = SelfTestCase.numbers(2 * count, seed: 70).map { $0 * 4 } + [Float](repeating: 1, count: count)
        let vectors = SelfTestCase.numbers(2 * count, seed: 71)
        var expected: [Float] = []
        var scratch = [Double](repeating: 0, count: routing.scratchCount)
        for row in 0..<3 {
            var route = [Float](repeating: 0, count: routing.routeWidth)
            logits.withUnsafeBufferPointer { logits in
                vectors.withUnsafeBufferPointer { vectors in
                    guard let logits = logits.baseAddress, let vectors = vectors.baseAddress else { return }
                    routing.route(
                        logits + row * count, bias: isMixer ? nil : vectors, factors: vectors + count, to: &route,
                        scratch: &scratch)
                }
            }
            expected += route
        }
        return SelfTestCase(
            Self.self,
            bindings: [
                .logits: SelfTestCase.bits(logits), .vectors: SelfTestCase.bits(vectors),
                .output: SelfTestCase.unwritten(expected.count),
            ],
            parameters: Parameters(
                logits: RowLayout(stride: UInt32(count)), output: RowLayout(stride: UInt32(routing.routeWidth)),
                hasBias: isMixer ? 0 : 1, biasOffset: 0, hasFactors: 1, factorOffset: UInt32(count),
                scale: routing.scale,
                jitter: jitter),
            rowCount: 3, output: .output, expected: expected.map { Double($0) })
    }
}

extension ExpertRouting.Scoring {
    /// Its number in `route.comp`.
    fileprivate var code: Int {
        switch self {
        case .softmax: 0
        case .sigmoid: 1
        case .sparseMixer: 2
        }
    }
}

/// `output = Σ weight * input` over the choices of a route (`weighted_sum.comp`).
struct WeightedSumKernel: Kernel {
    enum Binding: KernelBinding { case routes, input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var routes: RowLayout
        var input: RowLayout
        var output: RowLayout
        var choiceCount: UInt32
    }

    static let operations = [KernelOperation("weighted_sum", parts: [PackageResources.weighted_sum_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    /// Two rows of three choices.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(6, seed: 72)
        let routes = SelfTestCase.numbers(2 * 6, seed: 73)
        let expected = (0..<140).map { (index: Int) -> Double in
            let (row, column) = index.quotientAndRemainder(dividingBy: 70)
            return (0..<3).reduce(0.0) { sum, choice in
                let weight = Double(routes[row * 6 + 3 + choice])
                return sum + weight * Double(input[(row * 3 + choice) * 70 + column])
            }
        }
        return SelfTestCase(
            Self.self,
            bindings: [
                .routes: SelfTestCase.bits(routes), .input: SelfTestCase.bits(input),
                .output: SelfTestCase.unwritten(140),
            ],
            parameters: Parameters(
                width: 70, routes: RowLayout(stride: 6), input: RowLayout(stride: 210), output: RowLayout(stride: 70),
                choiceCount: 3),
            rowCount: 2, groupCount: 2, output: .output, expected: expected)
    }
}

extension ProgramBuilder {
    mutating func route(
        _ logits: ValueID, _ bias: VectorID?, _ factors: VectorID?, _ routing: ExpertRouting, _ output: ValueID
    ) throws(BackendError) {
        guard routing.expertCount <= RouteKernel.maxExpertCount else {
            throw .unsupported(
                operation: "route",
                reason: "\(routing.expertCount) experts, and at most \(RouteKernel.maxExpertCount) are possible")
        }
        let kernel = RouteKernel(routing: routing)
        let dispatch = Dispatch(
            RouteKernel.self, try kernels(for: kernel),
            bindings: [.logits: memory.range(logits), .vectors: weights.vectors, .output: memory.range(output)],
            parameters: .init(
                logits: rowLayout(of: logits), output: rowLayout(of: output), hasBias: bias == nil ? 0 : 1,
                biasOffset: UInt32(bias.map { weights.offset(of: $0) } ?? 0), hasFactors: factors == nil ? 0 : 1,
                factorOffset: UInt32(factors.map { weights.offset(of: $0) } ?? 0), scale: routing.scale,
                jitter: kernel.jitter),
            rows: DispatchRows(plan[output].rows), groupCount: 1,
            label: "route \(routing.choiceCount) of \(routing.expertCount)", bytesPerRow: routing.expertCount * 4,
            workPerRow: routing.expertCount * 8)
        append([dispatch], reading: [memory.range(logits)], writing: [memory.range(output)])
        try countExperts(output, routing)
    }

    mutating func weightedSum(_ input: ValueID, _ routes: ValueID, _ output: ValueID) throws(BackendError) {
        let choiceCount = plan[routes].width / 2
        try elementwise(
            WeightedSumKernel(),
            bindings: [
                .routes: memory.range(routes), .input: memory.range(input), .output: memory.range(output),
            ],
            parameters: .init(
                width: UInt32(plan[output].width), routes: rowLayout(of: routes), input: rowLayout(of: input),
                output: rowLayout(of: output), choiceCount: UInt32(choiceCount)),
            inputs: [routes, input], output: output, work: 2 * choiceCount)
    }
}
