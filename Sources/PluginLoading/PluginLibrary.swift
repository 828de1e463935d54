import CLibrary
import CQuirePlugin
public import Scheduling

/// A shared library with a scheduling policy, made with `quire_plugin.h`. It stays loaded until the process ends.
public struct PluginLibrary: Sendable {
    /// The version of `quire_plugin.h` that is spoken here.
    public static let supportedABI = UInt32(QUIRE_PLUGIN_ABI)
    /// Its only symbol.
    static let symbol = "quire_plugin"

    /// The library's file.
    public let path: String
    /// What it calls its policy.
    public let policyName: String
    private let table: PolicyTable

    /// Loads the library at `path`. Its code runs: load what you trust.
    public init(path: String) throws(PluginError) {
        // A name without a slash would be looked for in the system's folders.
        guard let library = dlopen(path.contains("/") ? path : "./" + path, RTLD_NOW | RTLD_LOCAL) else {
            throw .notLoadable(path: path, reason: dlerror().map { String(cString: $0) } ?? "no reason given")
        }
        guard let function = dlsym(library, Self.symbol) else {
            throw .missingSymbol(path: path, symbol: Self.symbol)
        }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<quire_policy>?
        guard let table = unsafeBitCast(function, to: Entry.self)(Self.supportedABI) else {
            throw .invalidTable(path: path, reason: "\(Self.symbol)(\(Self.supportedABI)) returned no table")
        }
        self.table = try PolicyTable(UnsafeRawPointer(table), path: path)
        self.path = path
        policyName = self.table.name
    }

    /// The policy for one engine, with the configured options, on a thread of its own. Decisions for which it takes
    /// longer than `budgetMilliseconds` throw. Copies of it share that thread and its state.
    public func makePolicy(
        options: [String: String] = [:], budgetMilliseconds: Int
    ) throws(PluginError) -> any SchedulerPolicy {
        try ExternalPolicy(table, options: options, budgetMilliseconds: budgetMilliseconds, path: path)
    }
}
