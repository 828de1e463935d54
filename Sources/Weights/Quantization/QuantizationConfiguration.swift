internal import JSON

/// The quantization configuration of a Hugging Face checkpoint.
public enum QuantizationConfiguration: Sendable, Hashable {
    case awq(AWQConfiguration)
    case gptq(GPTQConfiguration)
    case compressedTensors(CompressedTensorsConfiguration)
    case float8(Float8Configuration)
    case mxfp4(MXFP4Configuration)

    /// The name of the weight loader that reads it.
    public var loaderName: String {
        switch self {
        case .awq: "awq"
        case .gptq: "gptq"
        case .compressedTensors: "compressed-tensors"
        case .float8: "fp8"
        case .mxfp4: "mxfp4"
        }
    }

    /// How the checkpoint's matrices are stored.
    var scheme: any QuantizationScheme {
        switch self {
        case .awq(let configuration): configuration
        case .gptq(let configuration): configuration
        case .compressedTensors(let configuration): configuration
        case .float8(let configuration): configuration
        case .mxfp4(let configuration): configuration
        }
    }

    /// Reads `quantization_config` of `config`; where there is none, the first of `files` that exists, which older
    /// tools write beside it. Nil when there is neither. Throws `unsupported` for a method or variant that no loader
    /// knows.
    init?(_ config: JSONDocument, orFirstOf files: [String]) throws(WeightLoadingError) {
        // The first versions of compressed-tensors used the second key.
        let (usual, old) = (try config.object("quantization_config"), try config.object("compression_config"))
        if let inside = usual ?? old {
            try self.init(inside)
        } else if let file = files.first(where: { PathKind(of: $0) == .file }) {
            try self.init(try JSONDocument(file: file))
        } else {
            return nil
        }
    }

    private init(_ document: JSONDocument) throws(WeightLoadingError) {
        // Separate configuration files are older than the key `quant_method`; AWQ's have the key `w_bit`, GPTQ's do
        // not.
        let isOldAWQ = document.value("w_bit") != nil
        switch try document.string("quant_method") ?? (isOldAWQ ? "awq" : "gptq") {
        case "awq": self = .awq(try AWQConfiguration(document))
        case "gptq": self = .gptq(try GPTQConfiguration(document))
        case "compressed-tensors": self = .compressedTensors(try CompressedTensorsConfiguration(document))
        case "fp8", "fbgemm_fp8": self = .float8(try Float8Configuration(document))
        case "mxfp4": self = .mxfp4(MXFP4Configuration(document))
        case "modelopt" where try document.string("quant_algo")?.uppercased() == "FP8":
            self = .float8(try Float8Configuration(document))
        case let other:
            throw .unsupported(
                file: document.file, key: document.path("quant_method"), found: other,
                supported: "awq, gptq, compressed-tensors, fp8, fbgemm_fp8, mxfp4")
        }
    }
}

extension JSONReader where Failure == WeightLoadingError {
    /// The group size at `key`: a positive number, or nil for -1, which means that a whole column is one group.
    func groupSize(_ key: String) throws(WeightLoadingError) -> Int? {
        let expected = "-1, 16 or a multiple of 32"
        guard let size = try integer(key) else {
            throw .missingKey(file: file, key: path(key), expected: expected)
        }
        if size == -1 { return nil }
        guard size == 16 || size > 0 && size % 32 == 0, size <= 1 << 20 else {
            throw .illTypedKey(file: file, key: path(key), expected: expected, found: "\(size)")
        }
        return size
    }

    /// The bits at `key`, one of `choices`.
    func bitCount(_ key: String, _ choices: [Int]) throws(WeightLoadingError) -> Int {
        let expected = choices.map { "\($0)" }.joined(separator: ", ")
        guard let bitCount = try integer(key) else {
            throw .missingKey(file: file, key: path(key), expected: expected)
        }
        guard choices.contains(bitCount) else {
            throw .unsupported(file: file, key: path(key), found: "\(bitCount)", supported: expected)
        }
        return bitCount
    }

    /// The strings at `key`; none when absent or null.
    func strings(_ key: String) throws(WeightLoadingError) -> [String] {
        guard let value = value(key) else { return [] }
        guard case .array(let elements) = value else { throw error(key, expected: "a list of strings", found: value) }
        var strings: [String] = []
        for element in elements {
            guard case .string(let string) = element else {
                throw error(key, expected: "a list of strings", found: element)
            }
            strings.append(string)
        }
        return strings
    }

    /// Throws `unsupported` unless `key` is absent or holds one of `choices`.
    func require(_ key: String, oneOf choices: [String]) throws(WeightLoadingError) {
        guard let found = try string(key), !choices.contains(found.lowercased()) else { return }
        throw .unsupported(file: file, key: path(key), found: found, supported: choices.joined(separator: ", "))
    }
}
