import SharedValues

extension SelfTestCase {
    /// Two rows of three slices, the last not full: what the digits mean, and the sums beside them.
    static func digits(_ constants: [String: Int]) -> SelfTestCase {
        let width = 84
        var source = numbers(2 * width, seed: 44)
        // A slice of zeros, and one with a number above the others.
        for index in 32..<64 { source[index] = 0 }
        source[width + 5] = 3
        let digits = TestDigits(constants, source, width: width)
        var input = [Float](repeating: .nan, count: 2 * 88)
        for index in source.indices { input[index / width * 88 + index % width] = source[index] }
        let largest = Double(127 << (7 * ((constants["DIGITS"] ?? 1) - 1)))
        let content = { (words: [UInt32]) in
            TestDigits.read(words, constants, width: width) + TestDigits.sums(words, constants)
        }
        return SelfTestCase(
            bindings: [bits(input), unwritten(digits.words.count)],
            constants: [UInt32(width), 22, 0, UInt32(digits.stride), 0], rowCount: 2, output: 1,
            expected: content(digits.words).map { Double($0) },
            // A quotient near the middle between two integers may become either.
            tolerance: 1e-13 + 0.5 / (largest * largest), read: content)
    }

    /// `trial`, whose rows become digits; `outputStride`: where among its constants the output's stride is.
    static func makingDigits(
        _ trial: SelfTestCase, _ constants: [String: Int], outputStride: Int
    ) -> SelfTestCase {
        var trial = trial
        let width = trial.expected.count / trial.rowCount
        let digits = TestDigits(constants, trial.expected.map { Float($0) }, width: width)
        trial.bindings[trial.output] = unwritten(digits.words.count)
        trial.constants[outputStride] = UInt32(digits.stride)
        trial.expected = digits.numbers
        trial.read = { TestDigits.read($0, constants, width: width) }
        // Numbers differ in their last places, and so may become the integer beside.
        let largest = Double(127 << (7 * ((constants["DIGITS"] ?? 1) - 1)))
        trial.tolerance = 1e-9 + 4 / (largest * largest)
        return trial
    }
}

/// Rows of numbers as `digits.glsl` says, made in the plainest way.
struct TestDigits {
    /// Rows of records.
    let words: [UInt32]
    /// Words of a row.
    let stride: Int
    /// The numbers that the digits mean.
    let numbers: [Double]

    init(_ constants: [String: Int], _ source: [Float], width: Int) {
        let limbCount = constants["DIGITS"] ?? 1
        let interleave = constants["INTERLEAVE"] ?? 1
        let largest = Float(127 << (7 * (limbCount - 1)))
        stride = width.dividedUp(by: 32) * (limbCount * 8 + 4)
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
                    let (word, byte) = Self.place(index, interleave)
                    for (digit, value) in Self.split(integers[index], limbCount).enumerated() {
                        record[digit * 8 + word] |= UInt32(UInt8(bitPattern: Int8(value))) << UInt32(byte * 8)
                    }
                }
                let scale = magnitude / largest
                let sums = [integers[..<16], integers[16...], integers[...]].map { Float($0.reduce(0, +)) * scale }
                words += record + ([scale] + sums).map(\.bitPattern)
            }
        }
        self.words = words
        numbers = Self.read(words, constants, width: width).map { Double($0) }
    }

    /// The numbers that `words` mean.
    static func read(_ words: [UInt32], _ constants: [String: Int], width: Int) -> [Float] {
        let limbCount = constants["DIGITS"] ?? 1
        let interleave = constants["INTERLEAVE"] ?? 1
        let record = limbCount * 8 + 4
        let sliceCount = width.dividedUp(by: 32)
        var numbers: [Float] = []
        for row in 0..<words.count / (record * sliceCount) {
            for index in 0..<width {
                let start = (row * sliceCount + index / 32) * record
                let (word, byte) = place(index % 32, interleave)
                var value = 0
                for digit in 0..<limbCount {
                    let bits = UInt8(truncatingIfNeeded: words[start + digit * 8 + word] >> UInt32(byte * 8))
                    value = value * 128 + Int(Int8(bitPattern: bits))
                }
                numbers.append(Float(value) * Float(bitPattern: words[start + limbCount * 8]))
            }
        }
        return numbers
    }

    /// The sums of the slices' halves and of all of them.
    static func sums(_ words: [UInt32], _ constants: [String: Int]) -> [Float] {
        let record = (constants["DIGITS"] ?? 1) * 8 + 4
        var sums: [Float] = []
        for (index, word) in words.enumerated() where index % record >= record - 3 {
            sums.append(Float(bitPattern: word))
        }
        return sums
    }

    /// The word and the byte in it where number `index` of a slice lies.
    private static func place(_ index: Int, _ interleave: Int) -> (word: Int, byte: Int) {
        let inside = index % (4 * interleave)
        return (index / (4 * interleave) * interleave + inside % interleave, inside / interleave)
    }

    /// The digits of `integer`, the most significant first; all but that are between -64 and 63.
    private static func split(_ integer: Int, _ count: Int) -> [Int] {
        var rest = integer
        var digits: [Int] = []
        for _ in 1..<max(count, 1) {
            let low = ((rest + 64) & 127) - 64
            digits.insert(low, at: 0)
            rest = (rest - low) / 128
        }
        return [rest] + digits
    }
}
