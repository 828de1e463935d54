import CQuirePlugin
import Scheduling

/// Turns a policy into the table of C functions that quire loads: the body of a plugin's one function.
///
///     @c(quire_plugin)
///     public func plugin(_ abi: UInt32) -> UnsafeRawPointer {
///         exportPolicy("my_policy") { options in MyPolicy(weight: try options.number("weight", default: 1)) }
///     }
///
/// `name` is what `scheduler.policy` calls it. `make` makes the policy of one engine; what it throws is shown to whoever
/// starts quire. Its `lookahead` and `wantsCachedCounts` are asked for once. The library carries its own copy of
/// everything that is Swift: only C crosses its border.
public func exportPolicy(
    _ name: String, _ make: @escaping @Sendable (PluginOptions) throws -> any SchedulerPolicy
) -> UnsafeRawPointer {
    let bytes = Array(name.utf8CString)
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    text.initialize(from: bytes, count: bytes.count)
    var table = quire_policy()
    table.abi = UInt32(QUIRE_PLUGIN_ABI)
    table.struct_size = UInt32(MemoryLayout<quire_policy>.size)
    table.name = UnsafePointer(text)
    table.context = Unmanaged.passRetained(PolicyMaker(make)).toOpaque()
    PolicyBridge.fill(&table)
    // quire reads the table as long as the process lives.
    let result = UnsafeMutablePointer<quire_policy>.allocate(capacity: 1)
    result.initialize(to: table)
    return UnsafeRawPointer(result)
}

/// What `create` is given.
final class PolicyMaker: Sendable {
    let make: @Sendable (PluginOptions) throws -> any SchedulerPolicy

    init(_ make: @escaping @Sendable (PluginOptions) throws -> any SchedulerPolicy) {
        self.make = make
    }
}

/// The state of one engine. Only quire's thread for it comes here.
final class PolicyState {
    var policy: any SchedulerPolicy

    init(_ policy: any SchedulerPolicy) {
        self.policy = policy
    }
}
