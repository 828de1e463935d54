import CQuirePlugin
// What an author of a policy needs comes with `import QuirePlugins`.
@_exported public import Requests
@_exported public import Scheduling

/// Turns a policy into the table of C functions that quire loads: the body of a plugin's one function.
///
///     import QuirePlugins
///
///     struct ShortestPrompt: SchedulerPolicy {
///         func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
///             QueuePosition(rank: Double(request.promptCount))
///         }
///     }
///
///     @c(quire_plugin)
///     public func plugin(_ abi: UInt32) -> UnsafeRawPointer {
///         exportPolicy("shortest_prompt") { options in
///             try options.check(known: [])
///             return ShortestPrompt()
///         }
///     }
///
/// `name` is the policy's name in `scheduler.policy`. `make` makes the policy of one engine; if it throws, quire does not
/// start and prints the error. Its `lookahead` and `wantsCachedCounts` are read once. The library has its own copy of
/// everything that is Swift: only C crosses its border, so it may be built with another compiler.
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

/// The `context` of `create`.
final class PolicyMaker: Sendable {
    let make: @Sendable (PluginOptions) throws -> any SchedulerPolicy

    init(_ make: @escaping @Sendable (PluginOptions) throws -> any SchedulerPolicy) {
        self.make = make
    }
}

/// The state of one engine, used only by quire's thread for that engine.
final class PolicyState {
    var policy: any SchedulerPolicy

    init(_ policy: any SchedulerPolicy) {
        self.policy = policy
    }
}
