import Backends
import SharedValues
import Tensors

extension BackendConformance {
    /// Routes, products with the matrices that they choose, and their weighted sums.
    static func expertCases(
        _ types: [ElementType], _ formats: [WeightFormat], _ activationTypes: [ElementType], _ coverage: Coverage
    ) -> [ConformanceCase] {
        routeCases() + denseExpertCases(types, coverage) + quantizedExpertCases(formats, activationTypes, coverage)
    }

    /// Logits are looked up and not computed, so that no two backends disagree on which one is greater.
    private static func routeCases() -> [ConformanceCase] {
        typealias Groups = ExpertRouting.Groups
        let routings: [(ExpertRouting, hasBias: Bool, hasFactors: Bool)] = [
            (ExpertRouting(expertCount: 1, choiceCount: 1, scoring: .softmax, isNormalized: false), false, false),
            (ExpertRouting(expertCount: 8, choiceCount: 2, scoring: .softmax, isNormalized: true), false, false),
            (ExpertRouting(expertCount: 60, choiceCount: 4, scoring: .softmax, isNormalized: false), false, true),
            (ExpertRouting(expertCount: 128, choiceCount: 8, scoring: .softmax, isNormalized: true), true, false),
            (
                ExpertRouting(
                    expertCount: 64, choiceCount: 6, scoring: .softmax,
                    groups: Groups(count: 8, chosenCount: 3, scoreCount: 1), isNormalized: false, scale: 16), false,
                false
            ),
            (
                ExpertRouting(
                    expertCount: 256, choiceCount: 8, scoring: .sigmoid,
                    groups: Groups(count: 8, chosenCount: 4, scoreCount: 2), isNormalized: true, scale: 2.5), true, true
            ),
            (
                ExpertRouting(
                    expertCount: 6, choiceCount: 6, scoring: .sigmoid,
                    groups: Groups(count: 3, chosenCount: 3, scoreCount: 2), isNormalized: true), true, false
            ),
            // A jitter that keeps some experts and not others.
            (
                ExpertRouting(
                    expertCount: 16, choiceCount: 2, scoring: .sparseMixer(jitter: 0.1), isNormalized: false), false,
                false
            ),
            (
                ExpertRouting(
                    expertCount: 300, choiceCount: 3, scoring: .sparseMixer(jitter: 0.4), isNormalized: false, scale: 2),
                false, true
            ),
        ]
        return routings.map { routing, hasBias, hasFactors in
            rowCase(
                "route, \(routing.choiceCount) of \(routing.expertCount) by \(routing.scoring)", rowCount: 33,
                tolerance: Tolerance.single, seed: 120
            ) { sketch in
                let logits = sketch.input(routing.expertCount, bound: 4)
                let bias = hasBias ? sketch.vector("bias", routing.expertCount, around: 0) : nil
                let factors = hasFactors ? sketch.vector("factors", routing.expertCount, around: 1) : nil
                return sketch.route(logits, routing, bias: bias, factors: factors)
            }
        }
    }

    private static func denseExpertCases(_ types: [ElementType], _ coverage: Coverage) -> [ConformanceCase] {
        let shapes = [(1, 1, 65, 65), (5, 2, 77, 132), (8, 3, 20, 64), (16, 16, 64, 32)]
        let rowCounts = [1, 2, 9, 70]
        let array = CoveringArray(levelCounts: [types.count, shapes.count, rowCounts.count])
        return array.rows(coverage).map { levels in
            let (type, rowCount) = (types[levels[0]], rowCounts[levels[2]])
            let (expertCount, choiceCount, width, innerWidth) = shapes[levels[1]]
            return rowCase(
                "\(choiceCount) of \(expertCount) experts \(type), \(width) to \(innerWidth)", rowCount: rowCount,
                tolerance: Tolerance.linear(type), seed: 121
            ) { sketch in
                sketch.experts(
                    of: sketch.input(width), expertCount, choiceCount, hasBias: rowCount % 2 == 1
                ) { sketch, name in
                    let (rows, columns) = name == "down" ? (width, innerWidth) : (innerWidth, width)
                    let numbers = sketch.random.floats(rows * columns, bound: (3 / Float(columns)).squareRoot())
                    return .dense(HostTensor(numbers, shape: [rows, columns], as: type))
                }
            }
        }
    }

    /// Some formats, with numbers of rows and activation types in turn. Experts are multiplied by the kernels that other
    /// matrices have, which are tested with each format. The errors of three products add up, each of which rounds its input.
    private static func quantizedExpertCases(
        _ formats: [WeightFormat], _ activationTypes: [ElementType], _ coverage: Coverage
    ) -> [ConformanceCase] {
        let step = coverage == .pairs ? 3 : 6
        let some = formats.filter(\.isTable).enumerated().filter { $0.offset % step == 0 }.map(\.element)
        return some.enumerated().map { index, format in
            let rowCount = [1, 3, 9, 70][index % 4]
            let compute = activationTypes[index / 4 % activationTypes.count]
            return rowCase(
                "2 of 5 experts \(format), \(compute)", rowCount: rowCount, tolerance: 3 * Tolerance.linear(compute),
                seed: UInt64(130 + index)
            ) { sketch in
                sketch.experts(of: sketch.input(256), 5, 2, hasBias: index % 2 == 1) { sketch, name in
                    let inner = format.fits(inputSize: 68) ? 68 : 256
                    let (rows, columns) = name == "down" ? (256, inner) : (inner, 256)
                    return .quantized(
                        format.matrix(outputSize: rows, inputSize: columns, computeType: compute, &sketch.random))
                }
            }
        }
    }
}

extension PlanSketch {
    /// A feed-forward layer of experts, each with matrices that `matrix` makes of a name.
    mutating func experts(
        of input: ValueID, _ expertCount: Int, _ choiceCount: Int, hasBias: Bool,
        _ matrix: (inout PlanSketch, _ name: String) -> LinearWeights
    ) -> ValueID {
        let routing = ExpertRouting(
            expertCount: expertCount, choiceCount: choiceCount, scoring: .softmax, isNormalized: true)
        let routes = route(self.input(expertCount, bound: 4), routing)
        func matrices(_ sketch: inout PlanSketch, _ name: String) -> [LinearWeights] {
            (0..<expertCount).map { _ in matrix(&sketch, name) }
        }
        let (gates, ups, downs) = (matrices(&self, "gate"), matrices(&self, "up"), matrices(&self, "down"))
        let gate = selectedLinear(input, "gate", gates, hasBias: hasBias, routes)
        let up = selectedLinear(input, "up", ups, hasBias: hasBias, routes)
        // gpt-oss has biases, and this activation.
        let activation = hasBias ? Activation.clampedSwiGLU(alpha: 1.702, limit: 0.75) : .silu
        let products = selectedLinear(gated(gate, up, activation), "down", downs, hasBias: hasBias, routes)
        return weightedSum(products, routes)
    }
}
