/// Why a plugin could not be loaded, or failed; each description names the library's file or its policy.
public enum PluginError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file cannot be loaded as a library.
    case notLoadable(path: String, reason: String)
    /// The library has no function of that name.
    case missingSymbol(path: String, symbol: String)
    /// The library was made for another version of the interface.
    case otherABI(path: String, found: UInt32, supported: UInt32)
    /// The library returned an invalid table.
    case invalidTable(path: String, reason: String)
    /// The library's `create` failed.
    case notCreated(path: String, policy: String, reason: String)
    /// A function returned an error, with its sentence.
    case failed(policy: String, reason: String)
    /// An answer is out of range.
    case nonsense(policy: String, reason: String)
    /// The answer did not come in time.
    case overran(policy: String, milliseconds: Int)
    /// An earlier question is not answered yet.
    case busy(policy: String)
    /// The policy was busy for so long that it is not asked any more.
    case givenUp(policy: String)

    /// One sentence.
    public var description: String {
        switch self {
        case .notLoadable(let path, let reason): "plugin \(path) cannot be loaded: \(reason)"
        case .missingSymbol(let path, let symbol):
            "plugin \(path) has no function \(symbol); expected a library made with quire_plugin.h"
        case .otherABI(let path, let found, let supported):
            "plugin \(path) speaks ABI \(found); this quire speaks \(supported)"
        case .invalidTable(let path, let reason): "plugin \(path): \(reason)"
        case .notCreated(let path, let policy, let reason):
            "plugin \(path): policy \"\(policy)\" would not start: \(reason)"
        case .failed(let policy, let reason): "policy \"\(policy)\" failed: \(reason)"
        case .nonsense(let policy, let reason): "policy \"\(policy)\" answered nonsense: \(reason)"
        case .overran(let policy, let milliseconds): "policy \"\(policy)\" did not answer within \(milliseconds) ms"
        case .busy(let policy): "policy \"\(policy)\" still works on an earlier question"
        case .givenUp(let policy): "policy \"\(policy)\" did not come back for too long and is not asked any more"
        }
    }
}
