/// A text that must not be shown. Printed, interpolated or reflected it is `(secret)`; only `text` gives it away.
public struct Secret: Sendable, Equatable {
    /// The text itself, to compare with or to send.
    public let text: String

    /// Hides `text`.
    public init(_ text: String) {
        self.text = text
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The same for every secret.
    public var description: String { "(secret)" }
    /// The same for every secret.
    public var debugDescription: String { description }
    /// No children, so that a dump of what holds a secret does not show it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
