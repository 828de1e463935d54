import Backends
import Tensors

/// Small inputs of one kernel and what must come out.
struct SelfTestCase {
    /// The content of each binding; what the kernel writes starts as NaN.
    let bindings: [[UInt32]]
    /// The kernel's parameters behind the row count.
    let parameters: [UInt32]
    let rowCount: Int
    let rowsPerGroup: Int
    let groupCount: Int
    /// The binding that is compared.
    let output: Int
    let expected: [Double]
    /// The largest mean squared error, relative to the mean square of the expected numbers.
    var tolerance: Double
    /// Turns the output's words into as many numbers as are expected.
    var read: @Sendable ([UInt32]) -> [Float]

    /// The usual tolerance: what sums in another order and exponentials cost that are off by a few units in the last place.
    static let tolerance = 1e-9

    /// `expected` holds all numbers of `output` as 32-bit floats.
    init<K: Kernel>(
        _ kernel: K.Type, bindings: [K.Binding: [UInt32]], parameters: K.Parameters, rowCount: Int,
        rowsPerGroup: Int = 1, groupCount: Int = 1, output: K.Binding, expected: [Double],
        tolerance: Double = tolerance,
        read: @escaping @Sendable ([UInt32]) -> [Float] = { $0.map { Float(bitPattern: $0) } }
    ) {
        self.bindings = K.Binding.ordered(bindings)
        self.parameters = parameters.words
        self.rowCount = rowCount
        self.rowsPerGroup = rowsPerGroup
        self.groupCount = groupCount
        self.output = output.index
        self.expected = expected
        self.tolerance = tolerance
        self.read = read
    }

    /// A case whose `output` holds `rows`.
    init<K: Kernel>(
        _ kernel: K.Type, bindings: [K.Binding: [UInt32]], parameters: K.Parameters, rowCount: Int,
        groupCount: Int = 1, output: K.Binding, rows: ExpectedRows
    ) {
        self.init(
            kernel, bindings: bindings.merging([output: rows.unwritten]) { $1 }, parameters: parameters,
            rowCount: rowCount, groupCount: groupCount, output: output, expected: rows.numbers,
            tolerance: rows.tolerance, read: rows.read)
    }

    /// Numbers between -1 and 1 that look random and are the same everywhere.
    static func numbers(_ count: Int, seed: Int) -> [Float] {
        (0..<count).map { index in
            let mixed = UInt32(truncatingIfNeeded: index &* 747_796_405 &+ seed &* 277_803_737) &* 2_654_435_769
            return Float(Int32(bitPattern: mixed)) / Float(Int32.max)
        }
    }

    static func bits(_ numbers: [Float]) -> [UInt32] { numbers.map(\.bitPattern) }

    /// Room for `count` numbers that the kernel must write.
    static func unwritten(_ count: Int) -> [UInt32] { [UInt32](repeating: 0xFFFF_FFFF, count: count) }

    /// `numbers` in rows of `stride`, of which `width` are used; NaN in between, as the padding must not matter.
    static func padded(_ numbers: [Float], width: Int, stride: Int) -> [Float] {
        var result = [Float](repeating: .nan, count: numbers.count / width * stride)
        for index in numbers.indices { result[index / width * stride + index % width] = numbers[index] }
        return result
    }

    /// The words of a tensor, row after row.
    static func words(_ tensor: HostTensor) -> [UInt32] {
        tensor.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) }
        }
    }
}

/// What a kernel must write whose output is rows of floats or of quantized activations.
struct ExpectedRows {
    /// Words from one row to the next.
    let stride: Int
    let unwritten: [UInt32]
    let numbers: [Double]
    let tolerance: Double
    let read: @Sendable ([UInt32]) -> [Float]

    /// Rows of `width` numbers, one after another; `quantized`: what the kernel makes of them.
    init(_ numbers: [Double], width: Int, quantized: QuantizedActivations?) {
        guard let quantized else {
            self.numbers = numbers
            stride = width
            unwritten = SelfTestCase.unwritten(numbers.count)
            tolerance = SelfTestCase.tolerance
            read = { $0.map { Float(bitPattern: $0) } }
            return
        }
        let rows = QuantizedTestRows(quantized, numbers.map { Float($0) }, width: width)
        stride = rows.stride
        unwritten = SelfTestCase.unwritten(rows.words.count)
        self.numbers = rows.numbers
        read = { QuantizedTestRows.read($0, quantized, width: width) }
        // Numbers differ in their last digits, and so may be rounded to the next integer.
        let largest = Double(quantized.largestInteger)
        tolerance = 1e-9 + 4 / (largest * largest)
    }
}
