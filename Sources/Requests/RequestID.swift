/// Names a request inside the engine; later requests have larger ids.
public struct RequestID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// A number never used twice by one engine.
    public let rawValue: UInt64

    /// The id with this number.
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Whether `left` was submitted before `right`.
    public static func < (left: RequestID, right: RequestID) -> Bool { left.rawValue < right.rawValue }

    /// `request 7`.
    public var description: String { "request \(rawValue)" }
}
