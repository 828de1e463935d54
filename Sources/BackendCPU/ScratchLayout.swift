import Backends
import SharedValues

/// Where each form of each value but the logits lies in one arena; forms whose lives do not overlap may share bytes.
struct ScratchLayout {
    private struct Placement {
        let first: Int
        let last: Int
        let byteCount: Int
        var offset = 0
    }

    /// How long the arena is.
    let byteCount: Int
    private let offsets: [ValueForm: Int]

    /// Lays out the values of `steps`: the largest first, each at the lowest offset that is free during its life.
    init(steps: [CPUStep], plan: ForwardPlan, limits: BatchLimits) {
        var lives: [ValueForm: Placement] = [:]
        for (index, step) in steps.enumerated() {
            for form in step.forms where form != plan.logits.map(ValueForm.wide) {
                let first = lives[form]?.first ?? index
                lives[form] = Placement(first: first, last: index, byteCount: Self.byteCount(form, plan, limits))
            }
        }
        let order = lives.sorted { ($1.value.byteCount, $0.value.first) < ($0.value.byteCount, $1.value.first) }
        var placed: [Placement] = []
        var offsets: [ValueForm: Int] = [:]
        var end = 0
        for (form, life) in order {
            var offset = 0
            for other in placed where other.first <= life.last && life.first <= other.last {
                if offset + life.byteCount <= other.offset { break }
                offset = max(offset, other.offset + other.byteCount)
            }
            var placement = life
            placement.offset = offset
            placed.append(placement)
            placed.sort { $0.offset < $1.offset }
            offsets[form] = offset
            end = max(end, offset + life.byteCount)
        }
        self.offsets = offsets
        byteCount = end
    }

    /// Where `form` begins. Precondition: some step touches it, and it is not the logits.
    func offset(of form: ValueForm) -> Int {
        guard let offset = offsets[form] else { preconditionFailure("a value that no step touches") }
        return offset
    }

    /// Distance between two rows of the narrow form: even, as the kernels want it.
    static func narrowStride(width: Int) -> Int { width.roundedUp(to: 2) }

    private static func byteCount(_ form: ValueForm, _ plan: ForwardPlan, _ limits: BatchLimits) -> Int {
        func rowCount(_ value: ValueID) -> Int {
            plan[value].rows == .tokens ? limits.maxTokenCount : limits.maxSampleCount
        }
        let byteCount =
            switch form {
            case .wide(let value): rowCount(value) * plan[value].width * 4
            case .prepared(let value, let form):
                rowCount(value) * form.numbers.byteStride(width: plan[value].width)
            }
        return byteCount.roundedUp(to: MemoryPool.alignment)
    }
}
