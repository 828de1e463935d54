import SharedValues
import Tensors

/// The tensors that together store one module's quantized matrix, and how the matrix is loaded.
struct ModuleTensors {
    /// The module: the matrix's name without `.weight`.
    let name: String
    /// What reports the bytes that are read.
    let progress: LoadingProgress?
    let computeType: ElementType
    private let source: any TensorSource
    private let separator: String

    /// The tensors of the matrix `matrix`, for products of type `type`.
    init(
        _ matrix: String, in source: any TensorSource, _ type: WeightType, separator: String = ".",
        progress: LoadingProgress?
    ) {
        name = matrix.hasSuffix(".weight") ? String(matrix.dropLast(7)) : matrix
        self.source = source
        self.separator = separator
        computeType = type.quantizedComputeType
        self.progress = progress
    }

    private func tensorName(_ part: String) -> String { name + separator + part }

    /// Whether the module has the tensor `part`.
    func has(_ part: String) -> Bool { source.shape(of: tensorName(part)) != nil }

    /// Whether the module has the tensor `part`, or no dense matrix.
    func isQuantized(_ part: String) -> Bool { has(part) || !has("weight") }

    /// Whether the module has the tensor `part`, and no dense matrix beside it.
    func hasOnly(_ part: String) -> Bool { has(part) && !has("weight") }

    /// The tensor `part`; nil when there is none.
    func optional(_ part: String) throws(WeightLoadingError) -> StoredTensor? {
        has(part) ? try source.tensor(named: tensorName(part)) : nil
    }

    /// The tensor `part` of exactly this shape. Throws `missingTensor` or `shapeMismatch`.
    func tensor(_ part: String, _ shape: [Int]) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try source.tensor(named: tensorName(part))
        try tensor.requireShape(shape)
        return tensor
    }

    /// The same, of 32-bit words. Throws `unsupportedType` as well.
    func words(_ part: String, _ shape: [Int]) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try tensor(part, shape)
        try tensor.requireWords()
        return tensor
    }

    /// The same, of bytes. Throws `unsupportedType` as well.
    func bytes(_ part: String, _ shape: [Int]) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try tensor(part, shape)
        guard tensor.type == .u8 else {
            throw .unsupportedType(file: tensor.file, tensor: tensor.name, type: tensor.type.rawValue, supported: "U8")
        }
        return tensor
    }

    /// Inputs that share a scale: `stated`, or all of them. The last group may have fewer, unless `isWhole`: then this
    /// throws `malformedTensor`.
    func groupSize(_ stated: Int?, inputSize: Int, isWhole: Bool = false) throws(WeightLoadingError) -> Int {
        guard let stated else { return inputSize }
        guard inputSize % stated == 0 || !isWhole else {
            throw malformed("scales", "groups of \(stated) do not divide its \(inputSize) inputs")
        }
        return min(stated, inputSize)
    }

    /// The error that `part` is malformed.
    func malformed(_ part: String, _ reason: String) -> WeightLoadingError {
        .malformedTensor(file: source.file, tensor: tensorName(part), reason: reason)
    }

    /// The matrix of `rows`.
    func matrix(_ rows: GroupRows, outputSize: Int) -> LinearWeights {
        matrix(rows, rows.format, inputOrder: rows.inputOrder, inputSize: rows.inputSize, outputSize: outputSize)
    }

    /// The matrix of `rows` in `format`. It is dequantized if groups have another size than kernels know: 16, a multiple
    /// of 32, or a whole row.
    func matrix(
        _ rows: any QuantizedRows, _ format: GroupFormat, inputOrder: [Int32]? = nil, inputSize: Int, outputSize: Int
    ) -> LinearWeights {
        let matrix = QuantizedMatrix(
            outputSize: outputSize, inputSize: inputSize, layout: .groups(format), inputOrder: inputOrder,
            computeType: computeType, rows: rows)
        let isKnown = format.groupSize == 16 && !format.isFloat8 || format.groupSize % 32 == 0
        guard !isKnown, format.groupSize < inputSize else { return .quantized(matrix) }
        defer { matrix.unload() }
        return .dense(matrix.dequantized(as: computeType))
    }
}

extension WeightType {
    /// The compute type of quantized weights: activations may be rounded to it, and it decides the cache's type.
    var quantizedComputeType: ElementType {
        switch self {
        case .auto, .bf16: .bf16
        case .f32: .f32
        case .f16: .f16
        }
    }
}

/// The order in which the inputs of a group are neighbours, computed from the group of each input (`g_idx`).
enum InputOrder {
    /// The input of each stored column, by group and then by input; nil: the inputs are already in this order. Throws
    /// `shapeMismatch`, `unsupportedType`, or `malformedTensor` for a group that does not exist or that has another
    /// size than `groupSize`.
    static func read(
        _ tensor: StoredTensor, inputSize: Int, groupSize: Int
    ) throws(WeightLoadingError) -> [Int32]? {
        try tensor.requireShape([inputSize])
        let groups = try tensor.integers()
        let groupCount = inputSize.dividedUp(by: groupSize)
        var members = [[Int32]](repeating: [], count: groupCount)
        for (input, group) in groups.enumerated() {
            guard members.indices.contains(group) else {
                throw .malformedTensor(
                    file: tensor.file, tensor: tensor.name,
                    reason: "input \(input) is in group \(group), there are \(groupCount)")
            }
            members[group].append(Int32(truncatingIfNeeded: input))
        }
        for (group, inputs) in members.enumerated() {
            let expected = min(groupSize, inputSize - group * groupSize)
            guard inputs.count == expected else {
                throw .malformedTensor(
                    file: tensor.file, tensor: tensor.name,
                    reason: "group \(group) has \(inputs.count) inputs, expected \(expected)")
            }
        }
        let order = Array(members.joined())
        return order.indices.allSatisfy { order[$0] == Int32(truncatingIfNeeded: $0) } ? nil : order
    }
}

extension StoredTensor {
    /// The numbers of a tensor of 32-bit or 64-bit integers. Throws `unsupportedType`.
    func integers() throws(WeightLoadingError) -> [Int] {
        switch type {
        case .i32:
            return withUnsafeBytes { bytes in
                (0..<elementCount).map {
                    Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)))
                }
            }
        case .i64:
            return withUnsafeBytes { bytes in
                (0..<elementCount).map {
                    Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)))
                }
            }
        default: throw .unsupportedType(file: file, tensor: name, type: type.rawValue, supported: "I32, I64")
        }
    }

    /// Throws `unsupportedType` unless the tensor holds 32-bit words.
    func requireWords() throws(WeightLoadingError) {
        guard type == .i32 || type == .u32 else {
            throw .unsupportedType(file: file, tensor: name, type: type.rawValue, supported: "I32")
        }
    }

    /// How scales are stored. Throws `unsupportedType`.
    func scaleType() throws(WeightLoadingError) -> ElementType {
        guard let elementType = type.elementType else {
            throw .unsupportedType(file: file, tensor: name, type: type.rawValue, supported: "F16, BF16, F32")
        }
        return elementType
    }
}

/// A regular expression over module names, matched from their beginning as Python's `re.match` does.
struct ModulePattern: Sendable, Hashable {
    let text: String

    /// Checks that `text` is a regular expression; `file` and `key` name its location in errors.
    init(_ text: String, file: String, key: String) throws(WeightLoadingError) {
        self.text = text
        do {
            _ = try Regex(text)
        } catch {
            throw .illTypedKey(file: file, key: key, expected: "a regular expression", found: "\"\(text)\"")
        }
    }

    /// Whether `module` begins with a match.
    func matches(_ module: String) -> Bool {
        // `Regex` is not `Sendable`, so it is created from its text for each use.
        guard let expression = try? Regex(text) else { return false }
        return (try? expression.prefixMatch(in: module)) != nil
    }
}
