/// The key that clients must send.
struct APIKey: Sendable {
    private let bytes: [UInt8]

    /// The key `text`.
    init(_ text: String) {
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
