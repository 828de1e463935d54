/// Why a registry refused a name.
public enum RegistryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Something is already registered under this name.
    case duplicateName(kind: String, name: String)
    /// Nothing is registered under this name; `closest` is a likely meant one of `known`.
    case unknownName(kind: String, name: String, known: [String], closest: String?)

    /// One sentence that names what is wrong and where.
    public var description: String {
        switch self {
        case .duplicateName(let kind, let name):
            return "\(kind) \"\(name)\" is registered twice"
        case .unknownName(let kind, let name, let known, let closest):
            let list = known.isEmpty ? "none are known" : "known: \(known.joined(separator: ", "))"
            let hint = closest.map { "; did you mean \"\($0)\"?" } ?? ""
            return "unknown \(kind) \"\(name)\" (\(list))\(hint)"
        }
    }
}
