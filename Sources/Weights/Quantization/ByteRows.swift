import SharedValues
import Tensors

/// Rows of a matrix `[outputs, inputs]` of one byte a weight, signed integers or E4M3 floats, with scales beside it.
///
/// A scale belongs to a rectangle of weights: all of them, a row, a group of a row, or 128 by 128. It is handed over with
/// each row, as the kernels' groups are parts of one row.
struct ByteRows: QuantizedRows {
    let format: GroupFormat
    let codes: StoredTensor
    /// Scales by rows and columns of rectangles.
    let scales: StoredTensor
    /// Outputs that share a scale.
    let outputsPerScale: Int
    /// Zeros of signed bytes, in the shape of `scales`; nil: all are zero.
    let zeros: StoredTensor?
    let progress: LoadingProgress?

    /// The matrix of `module` whose `weight` has a byte for each number, with `scale` and zeros, if they are in the checkpoint.
    ///
    /// `blocks` is the size of a rectangle `[outputs, inputs]`; nil: it follows from the shape of the scales. Throws
    /// `missingTensor`, `shapeMismatch`, or `unsupportedType`.
    init(
        _ codes: StoredTensor, scale: StoredTensor, zeros: StoredTensor? = nil, blocks: (outputs: Int, inputs: Int)?,
        progress: LoadingProgress?
    ) throws(WeightLoadingError) {
        let (outputSize, inputSize) = (codes.shape[0], codes.shape[1])
        let isFloat8 = codes.type == .f8E4M3
        guard isFloat8 || codes.type == .i8 else {
            throw .unsupportedType(
                file: codes.file, tensor: codes.name, type: codes.type.rawValue, supported: "F8_E4M3, I8")
        }
        let groupSize: Int
        if let blocks {
            (outputsPerScale, groupSize) = (blocks.outputs, min(blocks.inputs, max(inputSize, 1)))
            let expected = [outputSize.dividedUp(by: blocks.outputs), inputSize.dividedUp(by: blocks.inputs)]
            try scale.requireShape(expected)
        } else if scale.elementCount == 1 {
            (outputsPerScale, groupSize) = (max(outputSize, 1), max(inputSize, 1))
        } else {
            guard scale.shape == [outputSize] || scale.shape == [outputSize, 1] else {
                throw .shapeMismatch(
                    file: scale.file, tensor: scale.name, expected: [outputSize, 1], found: scale.shape)
            }
            (outputsPerScale, groupSize) = (1, max(inputSize, 1))
        }
        if let zeros {
            guard zeros.elementCount == scale.elementCount else {
                throw .shapeMismatch(file: zeros.file, tensor: zeros.name, expected: scale.shape, found: zeros.shape)
            }
            guard zeros.type == .i8 else {
                throw .unsupportedType(file: zeros.file, tensor: zeros.name, type: zeros.type.rawValue, supported: "I8")
            }
        }
        format = GroupFormat(
            bitCount: 8, groupSize: groupSize, scaleType: try scale.scaleType(), hasZeros: zeros != nil,
            isFloat8: isFloat8)
        self.codes = codes
        scales = scale
        self.zeros = zeros
        self.progress = progress
    }

    private var inputSize: Int { codes.shape[1] }

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        let rowByteCount = format.rowByteCount(inputSize: inputSize)
        let groupCount = format.groupCount(inputSize: inputSize)
        for (index, output) in range.enumerated() {
            let row = target + index * rowByteCount
            row.initializeMemory(as: UInt8.self, repeating: 0, count: rowByteCount)
            let firstScale = output / outputsPerScale * groupCount
            // Signed bytes are counted from the lowest one; the bits of floats stay as they are.
            copy(codes, output * inputSize, count: inputSize, to: row, flipping: format.isFloat8 ? 0 : 0x80)
            if let zeros {
                let start = row + format.zeroByteOffset(inputSize: inputSize)
                copy(zeros, firstScale, count: groupCount, to: start, flipping: 0x80)
            }
            let size = format.scaleType.byteCount
            scales.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                (row + format.scaleByteOffset(inputSize: inputSize)).copyMemory(
                    from: source + firstScale * size, byteCount: groupCount * size)
            }
        }
        progress?.advance(by: range.count * inputSize)
    }

    func unload() { codes.unload() }

    private func copy(
        _ tensor: StoredTensor, _ first: Int, count: Int, to target: UnsafeMutableRawPointer, flipping bits: UInt8
    ) {
        tensor.withUnsafeBytes { source in
            for index in 0..<count {
                target.storeBytes(of: source[first &+ index] ^ bits, toByteOffset: index, as: UInt8.self)
            }
        }
    }
}

extension ModuleTensors {
    /// The module's matrix where its `weight` has a byte for each number; nil: it has other numbers, or there is none.
    ///
    /// Scales are `weight_scale`, or `weight_scale_inv`, which is what weights are multiplied with as well; zeros are
    /// `weight_zero_point`. `blocks`: outputs and inputs that share a scale, if the configuration says so.
    func byteMatrix(inputSize: Int, outputSize: Int, blocks: [Int]?) throws(WeightLoadingError) -> LinearWeights? {
        guard let codes = try optional("weight"), [.i8, .f8E4M3, .f8E5M2].contains(codes.type) else { return nil }
        try codes.requireShape([outputSize, inputSize])
        let (scale, inverse) = (try optional("weight_scale"), try optional("weight_scale_inv"))
        guard let scale = scale ?? inverse else {
            throw .missingTensor(file: codes.file, tensor: "\(name).weight_scale")
        }
        let rows = try ByteRows(
            codes, scale: scale, zeros: try optional("weight_zero_point"),
            // Modules that are smaller than a rectangle may have one scale, whatever the configuration says.
            blocks: scale.elementCount == 1 ? nil : blocks.map { ($0[0], $0[1]) }, progress: progress)
        return matrix(rows, rows.format, inputSize: inputSize, outputSize: outputSize)
    }
}
