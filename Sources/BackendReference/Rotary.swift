import Backends
import CLibrary

extension ReferencePlan {
    /// Rotates the pairs of each head by `position * frequency`; the angle is a 32-bit product, as in checkpoints' code.
    func rotaryEmbedding(
        input: ValueID, headSize: Int, rotary: RotaryEmbedding, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let pairCount = rotary.frequencies.count
        for token in 0..<batch.tokenCount {
            let source = values[input.index].row(token)
            let target = values[output.index].row(token)
            for index in target.indices { target[index] = source[index] }
            for head in stride(from: 0, to: source.count, by: headSize) {
                for pair in 0..<pairCount {
                    let angle = Double(Float(batch.positions[token]) * rotary.frequencies[pair])
                    let cosine = Double(Float(cos(angle)) * rotary.magnitude)
                    let sine = Double(Float(sin(angle)) * rotary.magnitude)
                    let (first, second) =
                        switch rotary.pairing {
                        case .halves: (head + pair, head + pair + pairCount)
                        case .interleaved: (head + 2 * pair, head + 2 * pair + 1)
                        }
                    let (x, y) = (Double(source[first]), Double(source[second]))
                    target[first] = Float(x * cosine - y * sine)
                    target[second] = Float(y * cosine + x * sine)
                }
            }
        }
    }
}
