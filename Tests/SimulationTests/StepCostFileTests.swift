import FoundationEssentials
import Testing

@testable import Simulation

@Suite("Files of step costs")
struct StepCostFileTests {
    private struct File: Encodable {
        let device = "a device"
        let cost: StepCost
    }

    @Test("a written cost is read back unchanged")
    func roundTrip() throws {
        var cost = StepCostTests.known
        cost.fixedSeconds = 0.25
        cost.promptTokenSeconds = 1e-4
        cost.moveBlockSeconds = 2e-4
        let bytes = Array(try JSONEncoder().encode(File(cost: cost)))
        #expect(try StepCost(file: bytes, path: "cost.json") == cost)
    }

    @Test("missing costs are 0")
    func absent() throws {
        let cost = try StepCost(file: Array(#"{"cost": {"sequence_seconds": 1}}"#.utf8), path: "cost.json")
        #expect(cost == StepCost(fixedSeconds: 0, promptTokenSeconds: 0, sequenceSeconds: 1, contextTokenSeconds: 0))
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ("{", "cost.json: invalid JSON at byte 1"),
            ("[]", "cost.json: cost: expected an object"),
            (#"{"cost": {"sequence_secs": 1}}"#, "cost.json: cost.sequence_secs: unknown; known are curve, "),
            (#"{"cost": {"sequence_seconds": -1}}"#, "cost.sequence_seconds: expected seconds from 0 to"),
            (#"{"cost": {"sequence_seconds": "1"}}"#, "found the string"),
            (#"{"cost": {"curve": 3}}"#, "cost.json: cost.curve: expected an array, found the integer 3"),
            (#"{"cost": {"curve": [{"tokens": 1}]}}"#, "cost.curve[0]: expected tokens and seconds"),
            (#"{"cost": {"curve": [{"tokens": 0, "seconds": 1}]}}"#, "cost.curve[0]"),
            (
                #"{"cost": {"curve": [{"tokens": 2, "seconds": 1}, {"tokens": 2, "seconds": 1}]}}"#,
                "cost.curve[1]: expected tokens and seconds, more tokens and no less seconds than before"
            ),
            (#"{"cost": {"curve": [{"tokens": 2, "seconds": 1}, {"tokens": 3, "seconds": 0.5}]}}"#, "cost.curve[1]"),
        ])
    func malformed(text: String, message: String) {
        let error = #expect(throws: SimulationError.self) { try StepCost(file: Array(text.utf8), path: "cost.json") }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "no error")")
    }
}
