import Backends
import SharedValues

/// Where each value lies: rows of values that are made together lie side by side, and lives that do not overlap may
/// share bytes. Arenas, as no range may be larger than the device can address.
struct ValueLayout {
    /// A value's place: rows of `stride` numbers in storage `storage`, from number `column` on.
    struct View {
        let storage: Int
        let column: Int
        let stride: Int
    }

    /// Rows of one or more values.
    struct Storage {
        let rows: PlanRows
        let stride: Int
        let byteCount: Int
        var arena = 0
        var byteOffset = 0
    }

    private(set) var storages: [Storage] = []
    private var views: [ValueID: View] = [:]
    /// How long each arena is.
    private(set) var arenaByteCounts: [Int] = []
    /// The storage of the logits, which lies outside of the arenas.
    private(set) var logitsStorage = 0

    /// Columns of a matrix are computed in tiles, so values that share rows begin at multiples of this.
    static let tile = 32
    /// Kernels read rows in units of four numbers, and sixteen bytes of weights belong to eight.
    private static let rowUnit = 8

    init(steps: [FusedOperation], plan: ForwardPlan, limits: BatchLimits, maxRangeByteCount: Int) {
        var lives: [ClosedRange<Int>] = []
        for (index, step) in steps.enumerated() {
            let outputs = step.outputs
            let isShared = outputs.count > 1 && { if case .linear = step { true } else { false } }()
            if isShared {
                place(outputs, at: index, plan, limits, &lives)
            } else {
                for output in outputs { place([output], at: index, plan, limits, &lives) }
            }
            for input in step.inputs {
                guard let view = views[input] else { preconditionFailure("a value is read before it is written") }
                lives[view.storage] = lives[view.storage].lowerBound...index
            }
        }
        guard let logits = plan.logits, let view = views[logits] else { preconditionFailure("a plan without logits") }
        logitsStorage = view.storage
        layArenas(lives, maxRangeByteCount)
    }

    /// Where `value` lies. Precondition: some step writes it.
    subscript(_ value: ValueID) -> View {
        guard let view = views[value] else { preconditionFailure("a value that no step writes") }
        return view
    }

    private mutating func place(
        _ values: [ValueID], at step: Int, _ plan: ForwardPlan, _ limits: BatchLimits,
        _ lives: inout [ClosedRange<Int>]
    ) {
        let rows = plan[values[0]].rows
        var column = 0
        for value in values {
            views[value] = View(storage: storages.count, column: column, stride: 0)
            column += values.count == 1 ? plan[value].width : plan[value].width.roundedUp(to: Self.tile)
        }
        // The caller reads the logits without gaps between rows.
        let stride = values == [plan.logits] ? column : column.roundedUp(to: Self.rowUnit)
        for value in values {
            views[value] = View(storage: storages.count, column: self[value].column, stride: stride)
        }
        let rowCount = rows == .tokens ? limits.maxTokenCount : limits.maxSampleCount
        storages.append(Storage(rows: rows, stride: stride, byteCount: max(rowCount * stride, 4) * 4))
        lives.append(step...step)
    }

    /// The largest storage first, each at the lowest offset that is free during its life.
    private mutating func layArenas(_ lives: [ClosedRange<Int>], _ maxRangeByteCount: Int) {
        let order = storages.indices.filter { $0 != logitsStorage }.sorted {
            (storages[$1].byteCount, $0) < (storages[$0].byteCount, $1)
        }
        var placed: [Int] = []
        for index in order {
            let size = storages[index].byteCount.roundedUp(to: MemoryPool.alignment)
            for arena in 0...arenaByteCounts.count {
                var offset = 0
                for other in placed where storages[other].arena == arena && lives[other].overlaps(lives[index]) {
                    if offset + size <= storages[other].byteOffset { break }
                    let end = storages[other].byteOffset + storages[other].byteCount
                    offset = max(offset, end.roundedUp(to: MemoryPool.alignment))
                }
                // A new arena takes anything: what is too large even for it, the pool refuses by name.
                guard offset + size <= maxRangeByteCount || arena == arenaByteCounts.count else { continue }
                if arena == arenaByteCounts.count { arenaByteCounts.append(0) }
                storages[index].arena = arena
                storages[index].byteOffset = offset
                arenaByteCounts[arena] = max(arenaByteCounts[arena], offset + size)
                break
            }
            placed.append(index)
            placed.sort { storages[$0].byteOffset < storages[$1].byteOffset }
        }
    }
}
