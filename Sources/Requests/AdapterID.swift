/// Names a loaded LoRA adapter inside the engine. An adapter that is loaded again has another id, so nothing that was
/// computed with the former one is taken for its own.
public struct AdapterID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// A number that one engine never uses twice.
    public let rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Whether `left` was loaded before `right`.
    public static func < (left: AdapterID, right: AdapterID) -> Bool { left.rawValue < right.rawValue }

    /// `adapter 7`.
    public var description: String { "adapter \(rawValue)" }
}

/// An adapter to put into a slot of the device before a step.
public struct AdapterLoad: Sendable, Hashable {
    public let adapter: AdapterID
    /// Below `SchedulerLimits.adapterSlotCount`. What was in the slot is replaced.
    public let slot: Int

    public init(_ adapter: AdapterID, slot: Int) {
        self.adapter = adapter
        self.slot = slot
    }
}
