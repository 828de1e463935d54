import Backends
import SharedValues
import Tensors

extension BackendConformance {
    /// Feed-forward layers with adapters in three of four slots. Some sequences have an adapter and some none, and one
    /// adapter changes only one of the three matrices.
    static func adapterCases(_ types: [ElementType], _ coverage: Coverage) -> [ConformanceCase] {
        let shapes = [(64, 32), (77, 130), (192, 65), (20, 3)]
        let ranks = [1, 8, 16, 37]
        // Lengths and slots of sequences. 130 rows of one adapter are more than a backend may take at once.
        let batches: [[(length: Int, slot: Int?)]] = [
            [(1, 0)], [(1, nil), (1, 2), (1, 0), (1, 0), (1, 3)], [(9, 3), (2, nil), (31, 0), (7, 2)],
            [(130, 2), (3, nil)],
            [(4, nil)],
        ]
        let array = CoveringArray(levelCounts: [types.count, shapes.count, ranks.count, batches.count])
        return array.rows(coverage).map { levels in
            let (type, (width, innerWidth)) = (types[levels[0]], shapes[levels[1]])
            let (rank, batch) = (ranks[levels[2]], batches[levels[3]])
            var sketch = PlanSketch(seed: 150)
            let input = sketch.input(width)
            let gate = sketch.linear(input, innerWidth, type)
            let up = sketch.linear(input, innerWidth, type, bias: true)
            let down = sketch.linear(sketch.gated(gate, up, .silu), width, type)
            let sum = sketch.add(input, down)
            let plan = sketch.finished(sum)
                .withAdapters(AdapterLimits(slotCount: 4, rank: rank, elementType: type))
            var adapters: [Int: [MatrixSetID: HostTensor]] = [:]
            for slot in [0, 2, 3] {
                var matrices: [MatrixSetID: HostTensor] = [:]
                for (index, target) in plan.adapterTargets.enumerated() where slot != 3 || index == 1 {
                    for set in [target.down, target.up] {
                        let shape = [plan[set].outputSize, plan[set].inputSize]
                        let bound = (2 / Float(shape[1])).squareRoot()
                        matrices[set] = HostTensor(
                            sketch.random.floats(shape[0] * shape[1], bound: bound), shape: shape, as: type)
                    }
                }
                adapters[slot] = matrices
            }
            var trial = ConformanceCase(
                name: "adapters \(type), \(width) to \(innerWidth), rank \(rank), \(batch.count) sequences",
                tolerance: Tolerance.linear(type), plan: plan, sequences: sequences(batch.map(\.length), seed: 150),
                cacheType: .f32, blockSize: 16)
            trial.adapters = adapters
            trial.adapterSlots = batch.map(\.slot)
            return trial
        }
    }
}
