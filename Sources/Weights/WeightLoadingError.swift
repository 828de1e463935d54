public import JSON

/// Why a checkpoint could not be opened or a weight not be loaded. Every case names the file.
public enum WeightLoadingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file could not be read at all.
    case unreadable(file: String, reason: String)
    /// The file does not follow its format.
    case malformed(file: String, reason: String)
    /// One tensor's entry in the file's header contradicts the format or the file.
    case malformedTensor(file: String, tensor: String, reason: String)
    /// A required key is absent.
    case missingKey(file: String, key: String, expected: String)
    /// A key holds something else than it should.
    case illTypedKey(file: String, key: String, expected: String, found: String)
    /// A key asks for something that Quire cannot do yet.
    case unsupported(file: String, key: String, found: String, supported: String)
    /// The sharded checkpoint's index names a file that is not there, or not beside it.
    case badShard(file: String, shard: String, reason: String)
    /// The checkpoint has no such tensor.
    case missingTensor(file: String, tensor: String)
    /// The model has no use for a tensor without which it would compute something else.
    case unreadTensor(file: String, tensor: String, reason: String)
    /// The tensor has another shape than the configuration implies.
    case shapeMismatch(file: String, tensor: String, expected: [Int], found: [Int])
    /// The tensor is stored in a type that the loader does not read.
    case unsupportedType(file: String, tensor: String, type: String, supported: String)

    /// One sentence that names what is wrong and where.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason)"
        case .malformed(let file, let reason):
            "\(file) is malformed: \(reason)"
        case .malformedTensor(let file, let tensor, let reason):
            "\(file): tensor \(tensor) is malformed: \(reason)"
        case .missingKey(let file, let key, let expected):
            "\(file): key \(key) is missing, expected \(expected)"
        case .illTypedKey(let file, let key, let expected, let found):
            "\(file): key \(key) must be \(expected), found \(found)"
        case .unsupported(let file, let key, let found, let supported):
            "\(file): \(key) \(found) is not supported yet (supported: \(supported))"
        case .badShard(let file, let shard, let reason):
            "\(file): shard \(shard) \(reason)"
        case .missingTensor(let file, let tensor):
            "\(file): tensor \(tensor) is missing"
        case .unreadTensor(let file, let tensor, let reason):
            "\(file): tensor \(tensor) \(reason) that the model has no use for: "
                + "the checkpoint is of another architecture than its configuration says"
        case .shapeMismatch(let file, let tensor, let expected, let found):
            "\(file): tensor \(tensor) has shape \(found), expected \(expected)"
        case .unsupportedType(let file, let tensor, let type, let supported):
            "\(file): tensor \(tensor) has type \(type), which is not supported (supported: \(supported))"
        }
    }
}

extension WeightLoadingError: JSONReadingError {
    public init(_ mismatch: JSONMismatch) {
        self = .illTypedKey(
            file: mismatch.file, key: mismatch.path, expected: mismatch.expected,
            found: mismatch.found?.summary ?? "nothing")
    }
}
