import SharedValues
import Tensors

/// Activations as integers of one to three int8 limbs (`quantized_activations.glsl`), which a device multiplies with
/// quantized weights four at a time.
struct QuantizedActivations: Hashable {
    /// Limbs of a number: 1, 2 or 3.
    let count: Int
    /// Stride between the four activations in one 32-bit word. It matches the order in which weights of this width unpack.
    let interleave: Int

    /// The quantized activations that weights in `format` are multiplied with; nil: those stay floats, as weights that are
    /// floats have no products of integers.
    init?(count: Int, for format: QuantizedFormat) {
        guard format.codes.values != .float8 else { return nil }
        self.count = count
        // Codes of two and four bits are unpacked by a mask, which leaves neighbours in different words.
        interleave = format.grid == nil && 8 % format.bitCount == 0 ? 8 / format.bitCount : 1
    }

    /// Invocations of a workgroup that quantizes; eight have a slice.
    static let group = 64
    /// Numbers of a row that such a workgroup quantizes, four to an invocation.
    static let numbersPerGroup = 4 * group

    /// Words of a slice: its limbs, its scale, and the sums of its halves and of all of it.
    var recordWordCount: Int { count * QuantizedFormat.slice / 4 + 4 }

    /// Words of a row of `inputSize` numbers.
    func width(inputSize: Int) -> Int { inputSize.dividedUp(by: QuantizedFormat.slice) * recordWordCount }

    /// Whether the reduction of an attention can write them: heads of whole slices.
    static func areMade(ofHeads size: Int) -> Bool { size % QuantizedFormat.slice == 0 }
}
