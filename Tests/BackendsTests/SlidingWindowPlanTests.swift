import Backends
import Testing

@Suite("ForwardPlan, sliding window")
struct SlidingWindowPlanTests {
    private func plan(_ windows: [Int?]) -> ForwardPlan {
        var plan = ForwardPlan()
        for window in windows {
            let layer = plan.addCacheLayer(CacheLayer(keyValueHeadCount: 1, headSize: 8))
            let query = plan.addValue(rows: .tokens, width: 8)
            let output = plan.addValue(rows: .tokens, width: 8)
            plan.append(
                .pagedAttention(
                    layer: layer, query: query,
                    attention: AttentionShape(queryHeadCount: 1, scale: 1, slidingWindow: window), output: output))
        }
        return plan
    }

    @Test("the widest window counts, and a layer without one is without end")
    func widest() {
        #expect(plan([4, 8, 6]).slidingWindow == 8)
        #expect(plan([4, nil, 6]).slidingWindow == nil)
        #expect(plan([]).slidingWindow == nil)
    }
}
