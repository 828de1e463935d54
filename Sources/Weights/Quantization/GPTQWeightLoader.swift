import SharedValues
public import Tensors

/// Loads GPTQ's layout: `qweight` `[in * bits / 32, out]` along inputs, `qzeros` `[groups, out * bits / 32]` along
/// outputs, `scales` `[groups, out]`, and `g_idx` `[in]`, the group of each input
/// (ModelCloud/GPTQModel, `nn_modules/qlinear`).
public struct GPTQWeightLoader: WeightLoader {
    private let configuration: GPTQConfiguration
    private let type: WeightType
    private let dense: DenseWeightLoader
    private let progress: LoadingProgress?

    /// Dense tensors become `type`, which packed ones count as.
    public init(_ configuration: GPTQConfiguration, _ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.configuration = configuration
        self.type = type
        self.progress = progress
        dense = DenseWeightLoader(type, progress: progress)
    }

    /// The matrix `name`, packed unless the configuration or the checkpoint has it dense.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let module = ModuleTensors(name, in: source)
        guard let packing = configuration.packing(of: module.name), module.isPacked("qweight") else {
            return try dense.linear(name, inputSize: inputSize, outputSize: outputSize, from: source)
        }
        let bitCount = packing.bitCount
        let groupSize = try module.groupSize(packing.groupSize, inputSize: inputSize)
        let groupCount = inputSize.dividedUp(by: groupSize)
        guard inputSize * bitCount % 32 == 0, outputSize * bitCount % 32 == 0 else {
            throw module.malformed("qweight", "rows or columns of \(bitCount) bits are not whole words")
        }
        let quanta = try module.words("qweight", [inputSize * bitCount / 32, outputSize])
        let addend = configuration.zerosAreMinusOne ? Self.ones(bitCount: bitCount) : nil
        let storedZeros = PackedTensor(
            try module.words("qzeros", [groupCount, outputSize * bitCount / 32]), bitCount: bitCount, .alongColumns,
            wordAddend: addend ?? 0)
        let scales = try module.tensor("scales", [groupCount, outputSize])
        let order = try module.optional("g_idx").flatMap { tensor throws(WeightLoadingError) in
            try InputOrder.read(tensor, inputSize: inputSize, groupSize: groupSize)
        }
        let shift: UInt32 = configuration.zerosAreMinusOne && addend == nil ? 1 : 0
        let hasZeros = !storedZeros.allEqual(1 << UInt32(bitCount - 1) - shift)
        let format = GroupFormat(
            bitCount: bitCount, groupSize: groupSize, scaleType: try scales.scaleType(), hasZeros: hasZeros)
        return module.matrix(
            GroupRows(
                format: format, inputSize: inputSize, orientation: .outputsLast,
                quanta: PackedTensor(quanta, bitCount: bitCount, .alongRows), scales: scales,
                zeros: hasZeros ? storedZeros : nil, zeroShift: shift, inputOrder: order, progress: progress),
            outputSize: outputSize, type)
    }

    /// A one in every field of a word; nil where fields do not divide it. GPTQModel writes version 1 by subtracting this
    /// from whole words, so that a zero of 0 borrows from its neighbour, and only adding it to the word gives both back.
    private static func ones(bitCount: Int) -> UInt32? {
        switch bitCount {
        case 2: 0x5555_5555
        case 4: 0x1111_1111
        case 8: 0x0101_0101
        default: nil
        }
    }

    /// Whether the checkpoint has a matrix `name`, packed or not.
    public func has(_ name: String, in source: any TensorSource) -> Bool {
        source.shape(of: name) != nil || source.shape(of: "\(ModuleTensors(name, in: source).name).qweight") != nil
    }
}

extension PackedTensor {
    /// Whether every number along the columns is `value`: zeros that need not be kept.
    fileprivate func allEqual(_ value: UInt32) -> Bool {
        let columns = tensor.shape[1] * 32 / bitCount
        return withWords { words in
            (0..<tensor.shape[0]).allSatisfy { row in
                (0..<columns).allSatisfy { field(words, row: row, column: $0) == value }
            }
        } ?? true
    }
}
