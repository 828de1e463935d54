public import EngineConfig

/// Why no engine could be assembled.
public enum AssemblyError: Error, CustomStringConvertible {
    /// The configuration contains something impossible.
    case configuration(ConfigurationError)
    /// The checkpoint cannot be used.
    case checkpoint(path: String, reason: String)
    /// The device cannot be used, or is too small.
    case device(String)

    /// Whether the configuration or the checkpoint is wrong, and not the machine.
    public var isUserError: Bool {
        switch self {
        case .configuration, .checkpoint: true
        case .device: false
        }
    }

    public var description: String {
        switch self {
        case .configuration(let error): error.description
        case .checkpoint(let path, let reason): reason.contains(path) ? reason : "\(path): \(reason)"
        case .device(let reason): reason
        }
    }
}

extension AssemblyError {
    /// Throws `checkpoint` where `model.path` is neither a path nor the name of a model in the cache, and may be such a name.
    static func requireModel(_ configuration: EngineConfiguration) throws(AssemblyError) {
        guard let name = configuration.missingModel else { return }
        throw .checkpoint(
            path: configuration.model.path,
            reason: "no such file or directory, and no such model in the cache; `quire pull \(name)` fetches it")
    }

    /// What `body` returns; what it throws becomes `checkpoint`.
    static func blaming<Result>(_ path: String, _ body: () throws -> Result) throws(AssemblyError) -> Result {
        do { return try body() } catch { throw .checkpoint(path: path, reason: "\(error)") }
    }

    /// What `body` returns. It reads `file`, which the configuration names at `key`, or without one the model; what it throws
    /// becomes an error of that key, or of the checkpoint.
    static func blaming<Result>(
        _ key: String, _ file: String?, of configuration: EngineConfiguration, _ body: () throws -> Result
    ) throws(AssemblyError) -> Result {
        guard let file else { return try blaming(configuration.model.path, body) }
        do { return try body() } catch {
            let reason = "\(error)"
            throw .configuration(
                configuration.error(at: key, message: reason.contains(file) ? reason : "\(file): \(reason)"))
        }
    }

    /// What `body` returns; what it throws becomes `device`.
    static func onDevice<Result>(_ body: () throws -> Result) throws(AssemblyError) -> Result {
        do { return try body() } catch { throw .device("\(error)") }
    }
}
