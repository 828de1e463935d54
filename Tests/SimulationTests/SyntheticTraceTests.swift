import Testing

@testable import Simulation

@Suite("SyntheticTrace")
struct SyntheticTraceTests {
    private func requests(_ text: String) throws -> [TraceRequest] {
        var trace = SyntheticTrace(try SyntheticParameters(text))
        var requests: [TraceRequest] = []
        while let request = trace.next() { requests.append(request) }
        return requests
    }

    @Test("arrivals have the requested rate, in bursts or not", arguments: ["poisson", "gamma"])
    func rate(arrivals: String) throws {
        let requests = try requests("count=20000,rate=10,arrivals=\(arrivals),burstiness=2")
        let gaps = zip(requests, requests.dropFirst()).map { $1.arrivalSeconds - $0.arrivalSeconds }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(gaps.count)
        #expect(abs(mean - 0.1) < 0.005)
        #expect(abs(variance.squareRoot() / mean - (arrivals == "gamma" ? 2 : 1)) < 0.15)
        #expect(gaps.allSatisfy { $0 >= 0 })
    }

    @Test("lengths have the means they claim, and fit")
    func lengths() throws {
        let requests = try requests("count=50000,max_length=100000")
        let prompt = Double(requests.map(\.promptCount).reduce(0, +)) / 50_000
        let output = Double(requests.map(\.outputCount).reduce(0, +)) / 50_000
        #expect(abs(prompt - 161) < 8 && abs(output - 338) < 12)
        let short = try self.requests("count=5000,max_length=64,prefixes=3,prefix_tokens=100")
        #expect(short.allSatisfy { $0.promptCount + $0.outputCount <= 64 && $0.outputCount > 0 && $0.promptCount > 0 })
        #expect(Set(short.map(\.prefixID)).count == 3)
    }

    @Test("tenants, priorities and deadlines come in the requested fractions")
    func shares() throws {
        let requests = try requests("count=30000,tenants=2,skew=1,urgent=0.25,deadline_ms=500")
        #expect(abs(Double(requests.count { $0.tenant == "tenant 0" }) / 30_000 - 2.0 / 3) < 0.02)
        #expect(abs(Double(requests.count { $0.priority == 0 }) / 30_000 - 0.25) < 0.02)
        #expect(requests.allSatisfy { $0.deadlineSeconds == 0.5 })
    }

    @Test("tenants' answers differ by the requested contrast, and their mean does not change")
    func contrast() throws {
        let requests = try requests("count=60000,tenants=3,contrast=9,max_length=100000")
        let means = ["tenant 0", "tenant 1", "tenant 2"].map { tenant in
            let outputs = requests.filter { $0.tenant == tenant }.map(\.outputCount)
            return Double(outputs.reduce(0, +)) / Double(outputs.count)
        }
        #expect(abs(means[1] / means[0] - 3) < 0.3 && abs(means[2] / means[0] - 9) < 0.9)
        #expect(abs(means.reduce(0, +) / 3 - 338) < 15)
    }

    @Test("a seed repeats a trace")
    func repeats() throws {
        let (first, second) = (try requests("count=100,seed=4"), try requests("count=100,seed=4"))
        let other = try requests("count=100,seed=5")
        #expect(first == second && first != other)
    }

    @Test("a wrong parameter is named")
    func errors() {
        let cases = [
            ("rat=3", "rat: expected one of count, rate"), ("rate=0", "rate: expected a number from 1e-06"),
            ("rate", "rate: expected NAME=VALUE"), ("arrivals=x", "arrivals: expected poisson, gamma, found x"),
            ("count=1e3", "count: expected an integer"), ("urgent=nan", "urgent: expected a number"),
        ]
        for (text, expected) in cases {
            do {
                _ = try SyntheticParameters(text)
                Issue.record("\(text) was taken")
            } catch { #expect(error.description.contains(expected), "\(error)") }
        }
    }
}
