import Backends
import Tensors

extension BackendConformance {
    static func embeddingCases(_ types: [ElementType], _ coverage: Coverage) -> [ConformanceCase] {
        let widths = [(1, Float(1)), (3, 2.5), (17, 1), (64, 8), (77, 1), (576, 24)]
        let embedded = CoveringArray(levelCounts: [types.count, widths.count]).rows(coverage).map { row in
            let (type, (width, scale)) = (types[row[0]], widths[row[1]])
            return rowCase("embed \(type) width \(width)", rowCount: 5, tolerance: Tolerance.exact, seed: 10) {
                sketch in
                let table = sketch.matrix("table", PlanSketch.vocabularySize, width, type)
                return sketch.embed(table, width, scale: scale)
            }
        }
        // One matrix is both looked up and multiplied with, and a backend may keep one copy of it.
        let tiedWidths = [3, 64, 77]
        let tied = CoveringArray(levelCounts: [types.count, tiedWidths.count]).rows(coverage).map { row in
            let (type, width) = (types[row[0]], tiedWidths[row[1]])
            return rowCase("tied \(type) width \(width)", rowCount: 9, tolerance: Tolerance.linear(type), seed: 11) {
                sketch in
                let table = sketch.matrix("table", PlanSketch.vocabularySize, width, type)
                let rows = sketch.embed(table, width, scale: 3)
                return sketch.linear(sketch.gather(rows), table)
            }
        }
        return embedded + tied
    }

    /// Shapes with types and numbers of rows. A case of many rows is also computed in random chunks, so it compares every
    /// smaller number of rows with itself; each number to 16, for which backends may have a kernel, has a case of its own.
    static func linearCases(_ types: [ElementType], _ coverage: Coverage) -> [ConformanceCase] {
        let shapes = [(1, 1), (3, 17), (17, 3), (64, 64), (77, 130), (576, 192), (1536, 77)]
        let rowCounts = [1, 2, 5, 16, 33]
        let cases = CoveringArray(levelCounts: [types.count, shapes.count, rowCounts.count]).rows(coverage).map { row in
            let (type, (inputSize, outputSize), rowCount) = (types[row[0]], shapes[row[1]], rowCounts[row[2]])
            let hasBias = row[1] % 2 == 1
            return rowCase(
                "linear \(type) \(inputSize) to \(outputSize)\(hasBias ? " with bias" : "")",
                rowCount: rowCount, tolerance: Tolerance.linear(type), seed: 30
            ) { sketch in
                let input = sketch.input(inputSize)
                return sketch.linear(input, outputSize, type, bias: hasBias)
            }
        }
        return cases
            + CoveringArray(levelCounts: [types.count, 10]).rows(.each).map { row in
                let type = types[row[0]]
                return rowCase(
                    "linear \(type) 64 to 128", rowCount: 6 + row[1], tolerance: Tolerance.linear(type), seed: 31
                ) { sketch in sketch.linear(sketch.input(64), 128, type) }
            }
    }

    static func elementwiseCases(_ coverage: Coverage) -> [ConformanceCase] {
        let widths = [1, 3, 17, 64, 77, 576]
        let gated = CoveringArray(levelCounts: [gatedActivations.count, widths.count]).rows(coverage).map { row in
            let (activation, width) = (gatedActivations[row[0]], widths[row[1]])
            return rowCase("\(activation) width \(width)", rowCount: 7, tolerance: Tolerance.single, seed: 40) {
                sketch in
                let gate = sketch.input(width, bound: 12)
                return sketch.gated(gate, sketch.input(width), activation)
            }
        }
        return gated
            + widths.flatMap { width in
                [
                    rowCase("add width \(width)", rowCount: 7, tolerance: Tolerance.exact, seed: 41) { sketch in
                        let left = sketch.input(width)
                        return sketch.add(left, sketch.input(width))
                    },
                    rowCase("add, then norm, width \(width)", rowCount: 33, tolerance: Tolerance.single, seed: 42) {
                        sketch in
                        let left = sketch.input(width)
                        let sum = sketch.add(left, sketch.input(width))
                        let normed = sketch.norm(sum)
                        return sketch.add(normed, sum)
                    },
                    rowCase("softCap width \(width)", rowCount: 7, tolerance: Tolerance.single, seed: 43) { sketch in
                        let samples = sketch.gather(sketch.input(width, bound: 60))
                        return sketch.softCap(samples, cap: 30)
                    },
                ]
            }
    }

    static func rotaryCases(_ coverage: Coverage) -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        // Gemma 4's global layers turn a part of the pairs of a head; the others have frequencies of zero.
        for pairing in RotaryEmbedding.Pairing.allCases {
            let turned = rotation(pairCount: 6, pairing).frequencies
            let rotary = RotaryEmbedding(
                frequencies: turned + [Float](repeating: 0, count: 10), pairing: pairing, magnitude: 1.3)
            cases.append(
                rowCase(
                    "rotary \(pairing) head 40 pairs 16, of which 6 turn", rowCount: 33, tolerance: Tolerance.single,
                    seed: 51
                ) { sketch in
                    sketch.rotary(sketch.input(3 * 40), headSize: 40, rotary)
                })
        }
        let heads = [(2, 1), (8, 4), (10, 5), (32, 16), (64, 32), (64, 16), (80, 40), (128, 64), (256, 128)]
        let pairings = RotaryEmbedding.Pairing.allCases
        return cases
            + CoveringArray(levelCounts: [heads.count, pairings.count]).rows(coverage).map { row in
                let ((headSize, pairCount), pairing) = (heads[row[0]], pairings[row[1]])
                let rotary = rotation(pairCount: pairCount, pairing, magnitude: pairCount == 16 ? 1.25 : 1)
                return rowCase(
                    "rotary \(pairing) head \(headSize) pairs \(pairCount)", rowCount: 33,
                    tolerance: Tolerance.single, seed: 50
                ) { sketch in
                    sketch.rotary(sketch.input(3 * headSize), headSize: headSize, rotary)
                }
            }
    }

    /// Frequencies `10000^(-i / pairCount)`.
    static func rotation(
        pairCount: Int, _ pairing: RotaryEmbedding.Pairing, magnitude: Float = 1
    ) -> RotaryEmbedding {
        var frequencies: [Float] = []
        var frequency = 1.0
        // The ratio by bisection, as the standard library has no power function: ratio^pairCount = 1e-4.
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            let power = (0..<pairCount).reduce(1.0) { product, _ in product * middle }
            if power > 1e-4 { high = middle } else { low = middle }
        }
        for _ in 0..<pairCount {
            frequencies.append(Float(frequency))
            frequency *= low
        }
        return RotaryEmbedding(frequencies: frequencies, pairing: pairing, magnitude: magnitude)
    }
}
