import Backends
import Lowering

/// Which experts are in the device's memory: in each layer the first ones, so that all layers have about the same share.
///
/// Routers are trained to choose all experts about equally often, so which ones matters little.
struct ExpertPlacement {
    /// For the routes of each layer, how many of the experts are on the device; empty: all of them.
    private var deviceCounts: [ValueID: Int] = [:]

    /// Everything is on the device.
    init() {}

    /// As many experts on the device as `byteCount` bytes hold. Throws `unsupported` for weights that no kernel takes.
    init(
        _ operations: [FusedOperation], _ plan: ForwardPlan, byteCount: Int, maxRangeByteCount: Int
    ) throws(BackendError) {
        var layers: [(routes: ValueID, sets: [MatrixSetID])] = []
        var known: Set<MatrixSetID> = []
        for case .selectedLinear(_, let set, _, .routes(let routes), _) in operations where known.insert(set).inserted {
            if let layer = layers.firstIndex(where: { $0.routes == routes }) {
                layers[layer].sets.append(set)
            } else {
                layers.append((routes, [set]))
            }
        }
        /// The bytes of the first `count` experts of a layer.
        func byteCountOf(_ count: Int, _ sets: [MatrixSetID]) throws(BackendError) -> Int {
            var sum = 0
            for set in sets {
                sum += try DeviceMatrix.byteCount(
                    ofFirst: count, of: plan[set].matrices, maxRangeByteCount: maxRangeByteCount)
            }
            return sum
        }
        for layer in layers { deviceCounts[layer.routes] = 0 }
        var (used, growing) = (0, layers)
        var next = 1
        while !growing.isEmpty {
            var grown: [(routes: ValueID, sets: [MatrixSetID])] = []
            for layer in growing where next <= plan[layer.sets[0]].matrices.count {
                let more = try byteCountOf(next, layer.sets) - byteCountOf(next - 1, layer.sets)
                guard used + more <= byteCount else { continue }
                used += more
                deviceCounts[layer.routes] = next
                grown.append(layer)
            }
            growing = grown
            next += 1
        }
    }

    /// How many of the experts that `routes` name are on the device; nil: all, as nothing limits them.
    func deviceCount(of routes: ValueID) -> Int? { deviceCounts[routes] }
}
