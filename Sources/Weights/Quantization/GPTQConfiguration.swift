import JSON
import SharedValues
import Tensors

/// The quantization configuration of a GPTQ checkpoint (ModelCloud/GPTQModel, `quantization/config.py`).
///
/// A module has `qweight` `[in * bits / 32, out]` along inputs, `qzeros` `[groups, out * bits / 32]` along outputs,
/// `scales` `[groups, out]`, and `g_idx` `[in]`, the group of each input (`nn_modules/qlinear`).
public struct GPTQConfiguration: Sendable, Hashable {
    /// How one module's matrix is quantized.
    struct Module: Sendable, Hashable {
        var bitCount: Int
        /// Inputs that share a scale; nil for a whole column.
        var groupSize: Int?
    }

    /// A rule for some modules. The first rule whose pattern matches a module applies to it.
    struct Rule: Sendable, Hashable {
        let pattern: ModulePattern
        /// The quantization of the modules; nil: they stay dense.
        let module: Module?
    }

    /// The file that contains it.
    public let file: String
    /// Whether stored zeros are one too small (version 1).
    public let zerosAreMinusOne: Bool
    let module: Module
    let rules: [Rule]

    private static let bitCounts = [2, 3, 4, 8]

    init(_ document: JSONDocument) throws(WeightLoadingError) {
        file = document.file
        let module = Module(
            bitCount: try document.bitCount("bits", Self.bitCounts), groupSize: try document.groupSize("group_size"))
        self.module = module
        if try document.bool("is_marlin_format") == true {
            throw .unsupported(
                file: file, key: document.path("is_marlin_format"), found: "true", supported: "gptq, gptq_v2")
        }
        for key in ["checkpoint_format", "format"] { try document.require(key, oneOf: ["gptq", "gptq_v2"]) }
        try document.require("pack_dtype", oneOf: ["int32"])
        let (new, old) = (try document.string("checkpoint_format"), try document.string("format"))
        zerosAreMinusOne = (new ?? old ?? "gptq").lowercased() == "gptq"
        rules = try Self.rules(document, module)
    }

    /// How the matrix of `module` is quantized; nil: it stays dense.
    func quantization(of module: String) -> Module? {
        guard let rule = rules.first(where: { $0.pattern.matches(module) }) else { return self.module }
        return rule.module
    }

    private static func rules(
        _ document: JSONDocument, _ base: Module
    ) throws(WeightLoadingError) -> [Rule] {
        guard let value = document.value("dynamic") else { return [] }
        guard case .object(let members) = value, let overrides = try document.object("dynamic") else {
            throw document.error("dynamic", expected: "an object of patterns and what they change", found: value)
        }
        var rules: [Rule] = []
        for member in members.members {
            let isDense = member.key.hasPrefix("-:")
            let text = isDense || member.key.hasPrefix("+:") ? String(member.key.dropFirst(2)) : member.key
            let pattern = try ModulePattern(text, file: document.file, key: overrides.path(member.key))
            var module = base
            if !isDense, let changes = try overrides.object(member.key) {
                if changes.value("bits") != nil { module.bitCount = try changes.bitCount("bits", bitCounts) }
                if changes.value("group_size") != nil { module.groupSize = try changes.groupSize("group_size") }
            }
            rules.append(Rule(pattern: pattern, module: isDense ? nil : module))
        }
        return rules
    }
}

extension GPTQConfiguration: QuantizationScheme {
    var codesPart: String? { "qweight" }

    func matrix(
        of module: ModuleTensors, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights? {
        guard let quantization = quantization(of: module.name), module.isQuantized("qweight") else { return nil }
        let bitCount = quantization.bitCount
        let groupSize = try module.groupSize(quantization.groupSize, inputSize: inputSize)
        let groupCount = inputSize.dividedUp(by: groupSize)
        guard inputSize * bitCount % 32 == 0, outputSize * bitCount % 32 == 0 else {
            throw module.malformed("qweight", "rows or columns of \(bitCount) bits are not whole words")
        }
        let codes = try module.words("qweight", [inputSize * bitCount / 32, outputSize])
        let addend = zerosAreMinusOne ? Self.ones(bitCount: bitCount) : nil
        let storedZeros = CodeTensor(
            try module.words("qzeros", [groupCount, outputSize * bitCount / 32]), bitCount: bitCount, .alongColumns,
            wordAddend: addend ?? 0)
        let scales = try module.tensor("scales", [groupCount, outputSize])
        let order = try module.optional("g_idx").flatMap { tensor throws(WeightLoadingError) in
            try InputOrder.read(tensor, inputSize: inputSize, groupSize: groupSize)
        }
        let shift: UInt32 = zerosAreMinusOne && addend == nil ? 1 : 0
        let hasZeros = !storedZeros.allEqual(1 << UInt32(bitCount - 1) - shift)
        let format = GroupFormat(
            bitCount: bitCount, groupSize: groupSize, scaleType: try scales.scaleType(), hasZeros: hasZeros)
        return module.matrix(
            GroupRows(
                format: format, inputSize: inputSize, orientation: .outputsLast,
                codes: CodeTensor(codes, bitCount: bitCount, .alongRows), scales: scales,
                zeros: hasZeros ? storedZeros : nil, zeroShift: shift, inputOrder: order,
                progress: module.progress), outputSize: outputSize)
    }

    /// A word with a one in every code; nil: codes of this width do not divide a word. GPTQModel writes version 1 by
    /// subtracting this word from whole words, so a zero of 0 borrows from its neighbour. Only adding it to whole words
    /// restores both.
    private static func ones(bitCount: Int) -> UInt32? {
        switch bitCount {
        case 2: 0x5555_5555
        case 4: 0x1111_1111
        case 8: 0x0101_0101
        default: nil
        }
    }
}

extension CodeTensor {
    /// Whether all codes are `value`; zeros of that kind need no storage.
    fileprivate func allEqual(_ value: UInt32) -> Bool {
        let columns = tensor.shape[1] * 32 / bitCount
        return withWords { words in
            (0..<tensor.shape[0]).allSatisfy { row in
                (0..<columns).allSatisfy { code(words, row: row, column: $0) == value }
            }
        } ?? true
    }
}
