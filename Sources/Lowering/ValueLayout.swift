public import Backends
import SharedValues

/// The last pass: the place of each value in scratch memory. The outputs of one matrix share rows, side by side.
/// Values that are never alive together may share bytes. There are several arenas where a device limits their size.
public struct ValueLayout {
    /// The numbers of a value: in rows of `stride` numbers of storage `storage`, from number `column` of each row on.
    public struct View {
        public let storage: Int
        public let column: Int
        public let stride: Int
    }

    /// Memory for the rows of one or more values.
    public struct Storage {
        public let rows: PlanRows
        public let stride: Int
        public let byteCount: Int
        public fileprivate(set) var arena = 0
        public fileprivate(set) var byteOffset = 0
        /// The stages from the one that writes it to the last that reads it.
        fileprivate var life: ClosedRange<Int>
    }

    public private(set) var storages: [Storage] = []
    private var views: [ValueID: View] = [:]
    public private(set) var arenaByteCounts: [Int] = []
    /// The storage of the logits. It is outside of the arenas, as the caller reads it after the last stage.
    public private(set) var logitsStorage = 0

    init<Target: LoweringTarget>(
        stages: [[FusedOperation<Target.Format>]], plan: ForwardPlan, limits: BatchLimits, target: Target
    ) {
        for (stage, operations) in stages.enumerated() {
            for operation in operations {
                switch operation {
                case .linear(_, let parts): addStorage(of: parts.map(\.output), at: stage, plan, limits, target)
                // Added in place, so that rows without an adapter, and steps without any, cost nothing.
                case .selectedLinear(_, _, _, .adapters(let addend?), let output): views[output] = self[addend]
                default:
                    for output in operation.outputs { addStorage(of: [output], at: stage, plan, limits, target) }
                }
                for input in operation.inputs {
                    let index = self[input].storage
                    storages[index].life = storages[index].life.lowerBound...stage
                }
            }
        }
        guard let logits = plan.logits else { preconditionFailure("a plan without logits") }
        logitsStorage = self[logits].storage
        fillArenas(maxByteCount: target.maxArenaByteCount)
    }

    /// The numbers of `value`. Precondition: some operation writes it.
    public subscript(_ value: ValueID) -> View {
        guard let view = views[value] else { preconditionFailure("a value that no operation writes") }
        return view
    }

    private mutating func addStorage(
        of values: [ValueID], at stage: Int, _ plan: ForwardPlan, _ limits: BatchLimits, _ target: some LoweringTarget
    ) {
        var columns: [Int] = []
        var width = 0
        for value in values {
            columns.append(width)
            width += values.count == 1 ? plan[value].width : plan[value].width.roundedUp(to: target.joinUnit)
        }
        // The caller reads the logits without gaps between rows.
        let stride = values == [plan.logits] ? width : width.roundedUp(to: target.rowUnit)
        for (value, column) in zip(values, columns) {
            views[value] = View(storage: storages.count, column: column, stride: stride)
        }
        let rows = plan[values[0]].rows
        let rowCount = rows == .tokens ? limits.maxTokenCount : limits.maxSampleCount
        storages.append(
            Storage(rows: rows, stride: stride, byteCount: max(rowCount * stride, 4) * 4, life: stage...stage))
    }

    /// Gives each storage the lowest offset that is free during its life, the largest storage first: small ones then fit
    /// into the gaps that large ones leave.
    private mutating func fillArenas(maxByteCount: Int) {
        let order = storages.indices.filter { $0 != logitsStorage }.sorted {
            (storages[$1].byteCount, $0) < (storages[$0].byteCount, $1)
        }
        // By offset, so that one walk over those alive at the same time finds the first gap.
        var placed: [Int] = []
        for index in order {
            let byteCount = storages[index].byteCount.roundedUp(to: MemoryPool.alignment)
            for arena in 0...arenaByteCounts.count {
                var offset = 0
                for other in placed
                where storages[other].arena == arena && storages[other].life.overlaps(storages[index].life) {
                    if offset + byteCount <= storages[other].byteOffset { break }
                    let end = storages[other].byteOffset + storages[other].byteCount
                    offset = max(offset, end.roundedUp(to: MemoryPool.alignment))
                }
                // A new arena takes a storage of any size: the pool refuses one that is too large for the device, by name.
                guard offset + byteCount <= maxByteCount || arena == arenaByteCounts.count else { continue }
                if arena == arenaByteCounts.count { arenaByteCounts.append(0) }
                storages[index].arena = arena
                storages[index].byteOffset = offset
                arenaByteCounts[arena] = max(arenaByteCounts[arena], offset + byteCount)
                break
            }
            placed.append(index)
            placed.sort { storages[$0].byteOffset < storages[$1].byteOffset }
        }
    }
}
