public import JSON
public import Weights

/// Why an adapter cannot be loaded. Every case names the file.
public enum AdapterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A file is malformed, or holds a value that Quire cannot use.
    case file(WeightLoadingError)
    /// There is no adapter at the path.
    case notAnAdapter(path: String, reason: String)
    /// A tensor is not one of the two matrices of a linear module.
    case unsupportedTensor(file: String, tensor: String, reason: String)
    /// The served model has no module of the tensor's name that adapters may change.
    case unknownModule(file: String, tensor: String, module: String)
    /// A module has only one of its two matrices.
    case missingTensor(file: String, tensor: String, missing: String)
    /// The rank is above what the server has room for.
    case rankTooHigh(file: String, tensor: String, rank: Int, limit: Int)
    /// The adapter changes nothing.
    case empty(file: String)

    /// One sentence that names what is wrong and where.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .notAnAdapter(let path, let reason): "\(path) is no adapter: \(reason)"
        case .unsupportedTensor(let file, let tensor, let reason): "\(file): tensor \(tensor) \(reason)"
        case .unknownModule(let file, let tensor, let module):
            "\(file): tensor \(tensor) is for the module \(module), which is no linear module of the served model's layers"
        case .missingTensor(let file, let tensor, let missing):
            "\(file): tensor \(tensor) has no counterpart, \(missing) is missing"
        case .rankTooHigh(let file, let tensor, let rank, let limit):
            "\(file): tensor \(tensor) has rank \(rank), expected at most \(limit) (lora.max_lora_rank)"
        case .empty(let file): "\(file) has no tensors"
        }
    }
}

extension AdapterError: JSONReadingError {
    public init(_ mismatch: JSONMismatch) { self = .file(WeightLoadingError(mismatch)) }

    /// Runs `body`, whose errors are about a file.
    static func reading<Result>(
        _ body: () throws(WeightLoadingError) -> Result
    ) throws(AdapterError) -> Result {
        do { return try body() } catch { throw .file(error) }
    }
}
