/// The key that clients must send. It never shows itself: printed, interpolated or reflected, it is `(secret)`.
public struct APIKey: Sendable, Equatable {
    private let bytes: [UInt8]

    /// The key `text`.
    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Whether `header` is `Bearer` and this key. Takes as long for every key of the same length, so that nobody can
    /// find it byte by byte (CVE-2025-59425).
    func accepts(_ header: String?) -> Bool {
        guard let header, header.lowercased().hasPrefix("bearer ") else { return false }
        let candidate = Array(header.utf8.dropFirst("bearer ".utf8.count))
        guard !bytes.isEmpty, !candidate.isEmpty else { return false }
        var difference = UInt(bitPattern: bytes.count ^ candidate.count)
        for (index, byte) in candidate.enumerated() { difference |= UInt(byte ^ bytes[index % bytes.count]) }
        return difference == 0
    }
}

extension APIKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The same for every key.
    public var description: String { "(secret)" }
    /// The same for every key.
    public var debugDescription: String { description }
    /// No children, so that a dump of what holds a key does not show it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
