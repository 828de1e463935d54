import Backends
import CLibrary

/// Cosines and sines of one rotation for the rows of a batch, `[tokens, pairs]` each.
struct RotaryAngles {
    let pairCount: Int
    let frequencies: UnsafePointer<Float>
    let magnitude: Float
    let cosines: UnsafeMutablePointer<Float>
    let sines: UnsafeMutablePointer<Float>

    /// Fills in rows `rows`. The angle is a 32-bit product, as in the checkpoints' own code.
    func compute(rows: Range<Int>, positions: UnsafePointer<Int32>) {
        for row in rows {
            for pair in 0..<pairCount {
                let angle = Double(Float(positions[row]) * frequencies[pair])
                cosines[row * pairCount + pair] = Float(cos(angle)) * magnitude
                sines[row * pairCount + pair] = Float(sin(angle)) * magnitude
            }
        }
    }
}
