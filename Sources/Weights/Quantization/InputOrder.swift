import SharedValues
internal import Tensors

/// The order of inputs in which those of a group are neighbours, from the group of each input (`g_idx`).
enum InputOrder {
    /// For each stored column its input, groups in order, inputs of a group in order; nil where they are already.
    /// Throws `shapeMismatch`, `unsupportedType`, or `malformedTensor` for a group that does not exist or that has another
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
