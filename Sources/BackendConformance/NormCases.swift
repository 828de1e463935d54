import Backends
import Tensors

extension BackendConformance {
    static func normCases() -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        let shapes = [(1, 1), (3, 3), (17, 17), (64, 64), (77, 77), (576, 576), (30, 10), (192, 64), (512, 256)]
        for (index, (width, group)) in shapes.enumerated() {
            // 33 rows are also computed one sequence after the other and in random chunks.
            cases.append(
                rowCase(
                    "rmsNorm width \(width) group \(group)", rowCount: [33, 7, 33, 1][index % 4],
                    tolerance: Tolerance.single, seed: 20
                ) { sketch in
                    sketch.norm(sketch.input(width, bound: 3), groupSize: group, epsilon: 1e-6)
                })
        }
        cases.append(
            rowCase("rmsNorm of nearly nothing", rowCount: 3, tolerance: Tolerance.single, seed: 21) { sketch in
                sketch.norm(sketch.input(64, bound: 1e-4), epsilon: 1e-5)
            })
        cases.append(
            rowCase("rmsNorm of samples", rowCount: 3, tolerance: Tolerance.single, seed: 22) { sketch in
                sketch.norm(sketch.gather(sketch.input(77)))
            })
        return cases
    }

    /// Vectors of no number, of one group, and of a row; two norms of one input, as in layers whose attention and
    /// feed-forward part run side by side.
    static func layerNormCases() -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        let shapes = [(1, 1), (3, 3), (17, 17), (77, 77), (576, 576), (30, 10), (192, 64), (1200, 600)]
        for (index, (width, group)) in shapes.enumerated() {
            let vectors = [(1, group, 0), (7, width, group), (33, 0, width), (5, 0, 0)]
            // Half of them for each shape, in turn.
            for (rowCount, weightCount, biasCount) in [vectors[index % 4], vectors[(index + 1) % 4]] {
                cases.append(
                    rowCase(
                        "layerNorm width \(width) group \(group), weight \(weightCount), bias \(biasCount)",
                        rowCount: rowCount, tolerance: Tolerance.single, seed: 23
                    ) { sketch in
                        sketch.layerNorm(
                            sketch.input(width, bound: 3), groupSize: group, weightCount: weightCount,
                            biasCount: biasCount)
                    })
            }
        }
        cases.append(
            rowCase("layerNorm far from zero", rowCount: 7, tolerance: Tolerance.single, seed: 24) { sketch in
                // All numbers of a row lie around 7.
                let shift = sketch.linear(sketch.input(1), sketch.constant("zeros", 0, 77, 1), bias: sketch.sevens(77))
                return sketch.layerNorm(sketch.add(sketch.input(77), shift))
            })
        cases.append(
            rowCase("layerNorm of nearly nothing", rowCount: 3, tolerance: Tolerance.single, seed: 25) { sketch in
                sketch.layerNorm(sketch.input(64, bound: 1e-4))
            })
        cases.append(
            rowCase("layerNorm of samples", rowCount: 3, tolerance: Tolerance.single, seed: 26) { sketch in
                sketch.layerNorm(sketch.gather(sketch.input(77)))
            })
        cases.append(
            rowCase("two norms of a sum", rowCount: 7, tolerance: Tolerance.single, seed: 27) { sketch in
                let left = sketch.input(77)
                let sum = sketch.add(left, sketch.input(77))
                return sketch.add(sketch.add(sketch.norm(sum), sketch.norm(sum)), sketch.layerNorm(sum))
            })
        return cases
    }
}

extension PlanSketch {
    /// A matrix of one number.
    fileprivate mutating func constant(_ name: String, _ number: Float, _ outputSize: Int, _ inputSize: Int) -> MatrixID
    {
        let numbers = [Float](repeating: number, count: outputSize * inputSize)
        return add(name, .dense(HostTensor(numbers, shape: [outputSize, inputSize], as: .f32)))
    }

    fileprivate mutating func sevens(_ count: Int) -> VectorID { vector("sevens", count, around: 7) }
}
