import Requests
import Scheduling

/// Something that a policy hears of.
struct PolicyEvent: Sendable {
    enum Kind: Sendable {
        case arrived, admitted
        case progressed(StepProgress)
        case ended(FinishReason)

        var decision: PolicyDecision {
            switch self {
            case .arrived: .arrived
            case .admitted: .admitted
            case .progressed: .progressed
            case .ended: .ended
            }
        }
    }

    let kind: Kind
    let request: RequestView
    let now: EngineInstant
}
