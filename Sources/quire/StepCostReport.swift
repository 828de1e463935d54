import Reports
import Simulation

/// A device's step cost, and its errors on the steps it was fitted to. `quire simulate` reads it.
struct StepCostReport: Encodable {
    let device: String
    let config: String
    let blockSize: Int
    let cost: StepCost
    let errors: StepCostFit.Errors
    let samples: [StepSample]

    init(device: String, config: String, blockSize: Int, samples: [StepSample]) {
        self.device = device
        self.config = config
        self.blockSize = blockSize
        self.samples = samples
        let fit = StepCostFit(samples, blockSize: blockSize)
        (cost, errors) = (fit.cost, fit.errors)
    }

    /// The cost's parts with their units, for a terminal.
    var text: String {
        var rows = [["each", "costs"]]
        func row(_ name: String, _ seconds: Double) {
            rows.append([name, Numeral.short(seconds * 1e6) + " us"])
        }
        row("sequence with a new token", cost.sequenceSeconds)
        row("token of context", cost.contextTokenSeconds)
        row("pair of a prompt's token and one before it", cost.promptPairSeconds)
        if cost.moveTokenSeconds > 0 { row("token of a block that moves", cost.moveTokenSeconds) }
        var curve = [["tokens of a step", "ms for all of them", "tokens/s"]]
        for point in cost.curve {
            curve.append([
                "\(point.tokenCount)", Numeral.short(point.seconds * 1e3),
                Numeral.short(Double(point.tokenCount) / point.seconds),
            ])
        }
        func percent(_ share: Double) -> String { Numeral.fixed(share * 100, places: 1) + "%" }
        return "\(device)\n\n\(TextTable(rows).text)\n\(TextTable(curve).text)\n"
            + "error over \(samples.count) steps: median \(percent(errors.median)), p90 \(percent(errors.p90)), "
            + "largest \(percent(errors.max))\n"
    }
}
