import SharedValues

/// Rows of numbers as quantized activations (`quantized_activations.glsl`), made in the plainest way.
struct QuantizedTestRows {
    /// Rows of records.
    let words: [UInt32]
    /// Words of a row.
    let stride: Int
    /// The numbers that the records stand for.
    let numbers: [Double]

    init(_ quantized: QuantizedActivations, _ source: [Float], width: Int) {
        let limbCount = quantized.count
        let largest = Float(quantized.largestInteger)
        stride = quantized.width(inputSize: width)
        var words: [UInt32] = []
        for row in 0..<source.count / width {
            for start in Swift.stride(from: 0, to: width, by: 32) {
                let numbers = (start..<start + 32).map { $0 < width ? source[row * width + $0] : 0 }
                let magnitude = numbers.map(abs).max() ?? 0
                let integers = numbers.map {
                    magnitude == 0 ? 0 : Int(($0 * (largest / magnitude)).rounded(.toNearestOrEven))
                }
                var record = [UInt32](repeating: 0, count: limbCount * 8)
                for index in 0..<32 {
                    let (word, byte) = Self.location(of: index, quantized)
                    for (limb, value) in Self.limbs(of: integers[index], count: limbCount).enumerated() {
                        record[limb * 8 + word] |= UInt32(UInt8(bitPattern: Int8(value))) << UInt32(byte * 8)
                    }
                }
                let scale = magnitude / largest
                let sums = [integers[..<16], integers[16...], integers[...]].map { Float($0.reduce(0, +)) * scale }
                words += record + ([scale] + sums).map(\.bitPattern)
            }
        }
        self.words = words
        numbers = Self.read(words, quantized, width: width).map { Double($0) }
    }

    /// The numbers that `words` stand for.
    static func read(_ words: [UInt32], _ quantized: QuantizedActivations, width: Int) -> [Float] {
        let record = quantized.recordWordCount
        let sliceCount = width.dividedUp(by: 32)
        var numbers: [Float] = []
        for row in 0..<words.count / (record * sliceCount) {
            for index in 0..<width {
                let start = (row * sliceCount + index / 32) * record
                let (word, byte) = location(of: index % 32, quantized)
                var value = 0
                for limb in 0..<quantized.count {
                    let bits = UInt8(truncatingIfNeeded: words[start + limb * 8 + word] >> UInt32(byte * 8))
                    value = value * 128 + Int(Int8(bitPattern: bits))
                }
                numbers.append(Float(value) * Float(bitPattern: words[start + quantized.count * 8]))
            }
        }
        return numbers
    }

    /// The sums of the slices' halves and of all of a slice.
    static func sums(_ words: [UInt32], _ quantized: QuantizedActivations) -> [Float] {
        let record = quantized.recordWordCount
        var sums: [Float] = []
        for (index, word) in words.enumerated() where index % record >= record - 3 {
            sums.append(Float(bitPattern: word))
        }
        return sums
    }

    /// The word, and the byte in it, of number `index` of a slice.
    private static func location(of index: Int, _ quantized: QuantizedActivations) -> (word: Int, byte: Int) {
        let interleave = quantized.interleave
        let inside = index % (4 * interleave)
        return (index / (4 * interleave) * interleave + inside % interleave, inside / interleave)
    }

    /// The limbs of `integer`, the most significant first; all but that are between -64 and 63.
    private static func limbs(of integer: Int, count: Int) -> [Int] {
        var rest = integer
        var limbs: [Int] = []
        for _ in 1..<max(count, 1) {
            let low = ((rest + 64) & 127) - 64
            limbs.insert(low, at: 0)
            rest = (rest - low) / 128
        }
        return [rest] + limbs
    }
}
