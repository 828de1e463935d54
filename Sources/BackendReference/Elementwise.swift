import Backends
import CLibrary

extension ReferencePlan {
    /// `activation(gate) * up`.
    func gatedActivation(
        gate: ValueID, up: ValueID, activation: Activation, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        for row in 0..<rowCount(of: output, in: batch) {
            let gates = values[gate.index].row(row)
            let ups = values[up.index].row(row)
            let target = values[output.index].row(row)
            for index in target.indices {
                target[index] = Float(activated(Double(gates[index]), by: activation) * Double(ups[index]))
            }
        }
    }

    private func activated(_ x: Double, by activation: Activation) -> Double {
        switch activation {
        case .silu: x / (1 + exp(-x))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
    }

    /// `left + right`.
    func add(left: ValueID, right: ValueID, output: ValueID, _ batch: borrowing ForwardBatch) {
        for row in 0..<rowCount(of: output, in: batch) {
            let (first, second) = (values[left.index].row(row), values[right.index].row(row))
            let target = values[output.index].row(row)
            for index in target.indices { target[index] = first[index] + second[index] }
        }
    }

    /// `cap * tanh(input / cap)`.
    func softCap(input: ValueID, cap: Float, output: ValueID, _ batch: borrowing ForwardBatch) {
        for row in 0..<rowCount(of: output, in: batch) {
            let source = values[input.index].row(row)
            let target = values[output.index].row(row)
            for index in target.indices {
                target[index] = Float(Double(cap) * tanh(Double(source[index]) / Double(cap)))
            }
        }
    }
}
