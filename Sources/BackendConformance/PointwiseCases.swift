import Backends
import Tensors

extension BackendConformance {
    /// The activations of gates. The clamped one has a limit that the usual inputs pass.
    static let gatedActivations: [Activation] = [
        .silu, .geluTanh, .gelu, .relu, .sigmoid, .clampedSwiGLU(alpha: 1.702, limit: 0.75),
    ]

    /// Every activation, at the usual inputs and at those for which exponentials overflow.
    static func activationCases(_ coverage: Coverage) -> [ConformanceCase] {
        let xielu = PointwiseActivation.xielu(alphaPositive: 0.9, alphaNegative: 1.4, beta: 0.5, epsilon: -1e-6)
        let activations = gatedActivations.compactMap(\.pointwise) + [.reluSquared, xielu]
        let inputs = [(77, Float(1)), (576, 12), (64, 3e4)]
        var cases = CoveringArray(levelCounts: [activations.count, inputs.count]).rows(coverage).map { row in
            let (activation, (width, bound)) = (activations[row[0]], inputs[row[1]])
            return rowCase(
                "\(activation) without gate, width \(width), inputs to \(bound)", rowCount: 7,
                tolerance: Tolerance.single, seed: 44
            ) { sketch in
                sketch.activation(sketch.input(width, bound: bound), activation)
            }
        }
        for activation in gatedActivations {
            cases.append(
                rowCase("\(activation), inputs to 3e4", rowCount: 7, tolerance: Tolerance.single, seed: 45) { sketch in
                    let gate = sketch.input(64, bound: 3e4)
                    return sketch.gated(gate, sketch.input(64), activation)
                })
        }
        cases.append(
            rowCase("activation between two linears", rowCount: 7, tolerance: Tolerance.single, seed: 46) { sketch in
                let middle = sketch.linear(sketch.input(64), 100, .f32, bias: true)
                return sketch.linear(sketch.activation(middle, .gelu), 77, .f32, bias: true)
            })
        return cases
    }

    static func scaleCases() -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        for width in [1, 77, 576] {
            cases.append(
                rowCase("scale width \(width)", rowCount: 7, tolerance: Tolerance.exact, seed: 47) { sketch in
                    sketch.scale(sketch.input(width), by: 0.3)
                })
            // The longer sequence has 22 positions.
            cases.append(
                rowCase("positionScale width \(width)", rowCount: 33, tolerance: Tolerance.exact, seed: 48) { sketch in
                    sketch.positionScale(sketch.input(width), beta: 0.1, originalLength: 5)
                })
        }
        for (width, columns) in [(3, 1..<2), (77, 0..<77), (200, 7..<107), (576, 192..<384)] {
            cases.append(
                rowCase("slice \(columns) of \(width)", rowCount: 7, tolerance: Tolerance.exact, seed: 49) { sketch in
                    sketch.slice(sketch.input(width), columns)
                })
        }
        cases.append(
            rowCase("slices of a linear", rowCount: 7, tolerance: Tolerance.single, seed: 49) { sketch in
                let fused = sketch.linear(sketch.input(64), 200, .f32)
                let gate = sketch.slice(fused, 0..<100)
                return sketch.linear(sketch.gated(gate, sketch.slice(fused, 100..<200), .silu), 33, .f32)
            })
        cases.append(
            rowCase("scale of samples", rowCount: 3, tolerance: Tolerance.exact, seed: 49) { sketch in
                sketch.scale(sketch.slice(sketch.gather(sketch.input(77)), 3..<50), by: 8)
            })
        return cases + headCases()
    }

    /// Heads of one and of two parts, shared and with zeros behind them; also parts of one fused product, and samples.
    private static func headCases() -> [ConformanceCase] {
        [
            rowCase("heads of a shared and an own part", rowCount: 33, tolerance: Tolerance.exact, seed: 50) { sketch in
                let shared = HeadColumns(sketch.input(21), offset: 3, stride: 0, width: 16)
                let own = HeadColumns(sketch.input(5 * 40), offset: 7, stride: 40, width: 32)
                return sketch.concatHeads(shared, own, headCount: 5, headSize: 48)
            },
            rowCase("heads of one part and zeros", rowCount: 7, tolerance: Tolerance.exact, seed: 51) { sketch in
                let part = HeadColumns(sketch.input(88), offset: 2, stride: 25, width: 11)
                return sketch.concatHeads(part, headCount: 4, headSize: 19)
            },
            rowCase("heads of parts of a linear", rowCount: 7, tolerance: Tolerance.single, seed: 52) { sketch in
                let fused = sketch.linear(sketch.input(64), 3 * 44, .f32)
                let (first, second) = (
                    HeadColumns(fused, offset: 24, stride: 44, width: 20), HeadColumns(fused, stride: 44, width: 24)
                )
                return sketch.linear(sketch.concatHeads(first, second, headCount: 3, headSize: 44), 33, .f32)
            },
            rowCase("heads of samples", rowCount: 3, tolerance: Tolerance.exact, seed: 53) { sketch in
                let part = HeadColumns(sketch.gather(sketch.input(77)), stride: 7, width: 7)
                return sketch.concatHeads(part, part, headCount: 11, headSize: 15)
            },
        ]
    }

    /// Learned positions. The table ends before the longer sequence does, whose last positions get its last row.
    static func positionCases(_ types: [ElementType], _ coverage: Coverage) -> [ConformanceCase] {
        let tables = [(3, 0), (77, 2)]
        return CoveringArray(levelCounts: [types.count, tables.count]).rows(coverage).map { row in
            let (type, (width, offset)) = (types[row[0]], tables[row[1]])
            return rowCase(
                "positions \(type) width \(width), offset \(offset)", rowCount: 33, tolerance: Tolerance.exact, seed: 12
            ) { sketch in
                let tokens = sketch.input(width)
                return sketch.add(
                    tokens, sketch.embedPositions(sketch.matrix("positions", 20, width, type), offset: offset))
            }
        }
    }
}
