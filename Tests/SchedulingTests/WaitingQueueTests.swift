import Requests
import SchedulingConformance
import SharedValues
import Testing

@testable import Scheduling

@Suite("WaitingQueue")
struct WaitingQueueTests {
    /// A waiting request as the model sees it.
    private struct Waiter {
        let slot: Int
        let queue: Int
        let rank: Double
        let view: RequestView

        var key: (Double, UInt64, UInt64) {
            (rank.isNaN ? .infinity : rank, view.arrival.nanoseconds, view.id.rawValue)
        }
    }

    @Test("random insertions and removals agree with sorted arrays", arguments: 0..<20)
    func model(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var queue = WaitingQueue()
        var waiters: [Waiter] = []
        var views: [Int: RequestView] = [:]
        for step in 0..<2000 {
            // Filling, then emptying, so that sweeping is tried at every size.
            if random.next(below: 10) < (step % 1000 < 500 ? 7 : 3) {
                let slot = (0...waiters.count).first { slot in !waiters.contains { $0.slot == slot } } ?? 0
                let waiter = Waiter(
                    slot: slot, queue: random.next(below: 3),
                    rank: [.nan, .infinity, 1, 2, -3][random.next(below: 5)],
                    view: RequestView(
                        id: RequestID(UInt64(step)), arrival: EngineInstant(nanoseconds: UInt64(random.next(below: 9))),
                        promptCount: 1))
                waiters.append(waiter)
                views[slot] = waiter.view
                queue.insert(slot, waiter.view, at: QueuePosition(queue: waiter.queue, rank: waiter.rank))
            } else if !waiters.isEmpty {
                let waiter = waiters.remove(at: random.next(below: waiters.count))
                queue.remove(waiter.slot, waiter.view.id)
            }
            #expect(queue.count == waiters.count && queue.slots == waiters.map(\.slot))
            #expect(queue.longestWaiting == waiters.first?.slot)
            let lookahead = random.next(below: 4)
            let candidates = queue.candidates(lookahead: lookahead) { views[$0] ?? waiters[0].view }
            for number in 0..<3 {
                let expected = waiters.filter { $0.queue == number }.sorted { $0.key < $1.key }
                    .prefix(max(lookahead, 1)).map(\.view.id)
                #expect(candidates.filter { $0.position.queue == number }.map(\.request.id) == expected)
            }
        }
    }

    @Test("a heap gives its elements back in order", arguments: 0..<50)
    func heap(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let numbers = (0..<seed).map { _ in random.next(below: 20) }
        var heap = BinaryHeap(Array(numbers.prefix(seed / 2)))
        for number in numbers.dropFirst(seed / 2) { heap.insert(number) }
        var sorted: [Int] = []
        while let first = heap.popFirst() { sorted.append(first) }
        #expect(sorted == numbers.sorted())
    }
}

@Suite("What policies learn")
struct LearningTests {
    @Test("the step timer finds the line that it is shown")
    func timer() {
        var timer = StepTimer()
        #expect(timer.seconds(forTokens: 1, budget: 10) == nil)
        var now = EngineInstant(nanoseconds: 0)
        for step in 1...50 {
            let tokens = step % 7 * 10 + 1
            timer.begin(at: now)
            now = now.advanced(bySeconds: 0.01 + 0.001 * Double(tokens))
            timer.add(tokens, at: now)
        }
        timer.begin(at: now)
        let seconds = timer.seconds(forTokens: 250, budget: 100) ?? 0
        #expect(abs(seconds - (3 * 0.01 + 250 * 0.001)) < 1e-6)
    }

    @Test("lengths are learnt by tenant, then by length of prompt, and never exceed what may come")
    func lengths() {
        var predictor = LengthPredictor()
        func view(_ tenant: String, prompt: Int, output: Int = 0, limit: Int = 1000) -> RequestView {
            RequestView(
                id: RequestID(1), arrival: EngineInstant(nanoseconds: 0), tenant: tenant, promptCount: prompt,
                outputCount: output, outputLimit: limit)
        }
        for _ in 0..<20 {
            predictor.learn(view("a", prompt: 10, output: 50))
            predictor.learn(view("b", prompt: 10, output: 150))
        }
        #expect(predictor.remainingOutput(of: view("a", prompt: 9)) == 50)
        #expect(predictor.remainingOutput(of: view("a", prompt: 9, output: 20)) == 30)
        #expect(predictor.remainingOutput(of: view("a", prompt: 9, output: 80)) == 40)
        #expect(abs(predictor.remainingOutput(of: view("new", prompt: 9)) - 100) < 5)
        #expect(predictor.remainingOutput(of: view("b", prompt: 9, limit: 7)) == 7)
    }
}
