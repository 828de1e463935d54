/// Why a chat template cannot be used. Lines are those of the template, from 1.
public enum TemplateError: Error, Equatable, CustomStringConvertible {
    /// The template is not one that this interpreter reads.
    case syntax(line: Int, reason: String)
    /// The template fails on these messages.
    case evaluation(line: Int, reason: String)
    /// The template itself refuses these messages (`raise_exception`).
    case raised(line: Int, message: String)
    /// The template runs too long, nests too deeply, or writes too much.
    case limit(line: Int, reason: String)
    /// Text that should be JSON is not.
    case json(byteOffset: Int, reason: String)

    /// One sentence.
    public var description: String {
        switch self {
        case .syntax(let line, let reason): "chat template, line \(line): \(reason)"
        case .evaluation(let line, let reason): "chat template, line \(line): \(reason)"
        case .raised(let line, let message): "chat template, line \(line), refuses the messages: \(message)"
        case .limit(let line, let reason): "chat template, line \(line): \(reason)"
        case .json(let byteOffset, let reason): "JSON, byte \(byteOffset): \(reason)"
        }
    }
}
